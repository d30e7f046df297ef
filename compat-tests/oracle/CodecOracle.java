import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.File;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.record.internal.MemoryRecords;

/**
 * Apache Kafka's generated codecs, driven from the outside.
 *
 *   gen N SEED     N samples of every message in every valid version, one line each:
 *                  {"message","kind","apiKey"?,"version","flexible","hex","json"}
 *   decode         lines {"message","version","hex"} become lines {"json"} or {"error"}
 *   encode         lines {"message","version","json"} become lines {"hex"} or {"error"}
 *   schemas DIR    unpacks the message and metadata definitions of the jars into DIR
 *
 * "json" is what Kafka's JsonConverter classes read and write: camelCase names, bytes and records in base64, uuids in
 * unpadded URL-safe base64, int64 as a JSON number.
 */
public class CodecOracle {
    static final ObjectMapper JSON = new ObjectMapper().configure(JsonParser.Feature.ALLOW_COMMENTS, true);

    /** A version range as the definitions write it: "3", "0-4", "2+", "none". */
    record Versions(int lowest, int highest) {
        static final Versions NONE = new Versions(1, 0);

        static Versions of(JsonNode holder, String property, Versions absent) {
            if (!holder.has(property)) return absent;
            String text = holder.get(property).asText();
            if (text.equals("none")) return NONE;
            if (text.endsWith("+")) return new Versions(Integer.parseInt(text.substring(0, text.length() - 1)), Short.MAX_VALUE);
            int dash = text.indexOf('-');
            if (dash < 0) return new Versions(Integer.parseInt(text), Integer.parseInt(text));
            return new Versions(Integer.parseInt(text.substring(0, dash)), Integer.parseInt(text.substring(dash + 1)));
        }

        boolean has(int version) {
            return lowest <= version && version <= highest;
        }
    }

    record Field(String key, String type, Versions versions, Versions nullable, Versions tagged, List<Field> struct) {
        boolean holdsRecords() {
            return type.equals("records") || (struct != null && struct.stream().anyMatch(Field::holdsRecords));
        }
    }

    /** One message with its generated classes. */
    record Codec(String name, String kind, Integer apiKey, Versions valid, Versions flexible, List<Field> fields,
                 Class<?> dataClass, Method fromJson, Method toJson) {
        byte[] encode(JsonNode json, int version) throws Exception {
            return bytes((Message) fromJson.invoke(null, json, (short) version), version);
        }

        static byte[] bytes(Message message, int version) {
            return MessageUtil.byteBufferToArray(MessageUtil.toByteBufferAccessor(message, (short) version).buffer());
        }

        JsonNode decode(byte[] bytes, int version) throws Exception {
            Message message = (Message) dataClass.getDeclaredConstructor().newInstance();
            ByteBuffer buffer = ByteBuffer.wrap(bytes);
            message.read(new ByteBufferAccessor(buffer), (short) version);
            if (buffer.hasRemaining()) throw new IllegalArgumentException(buffer.remaining() + " bytes follow the message");
            return render(message, version);
        }

        JsonNode render(Message message, int version) throws Exception {
            JsonNode json = (JsonNode) toJson.invoke(null, message, (short) version, true);
            restoreRecords(json, message, fields);
            return json;
        }

        /** Kafka's converters render every non-null "records" field as "": put the bytes of the message in their place. */
        static void restoreRecords(JsonNode json, Object data, List<Field> fields) throws Exception {
            for (Field field : fields) {
                JsonNode rendered = json.get(field.key());
                if (rendered == null || rendered.isNull() || !field.holdsRecords()) continue;
                Object content = data.getClass().getMethod(field.key()).invoke(data);
                if (field.type().equals("records")) {
                    ByteBuffer buffer = ((MemoryRecords) content).buffer();
                    byte[] bytes = new byte[buffer.remaining()];
                    buffer.get(bytes);
                    ((ObjectNode) json).put(field.key(), bytes);
                } else if (content instanceof Iterable<?> elements) {
                    int index = 0;
                    for (Object element : elements) restoreRecords(rendered.get(index++), element, field.struct());
                } else {
                    restoreRecords(rendered, content, field.struct());
                }
            }
        }
    }

    public static void main(String[] args) throws Exception {
        if (args.length == 0) throw new IllegalArgumentException("gen N SEED | decode | encode | schemas DIR");
        PrintStream out = new PrintStream(
            new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), 1 << 18), false, StandardCharsets.UTF_8);
        switch (args[0]) {
            case "gen" -> generate(Integer.parseInt(args[1]), Long.parseLong(args[2]), out);
            case "decode", "encode" -> answerLines(args[0], out);
            case "schemas" -> unpackSchemas(Path.of(args[1]));
            default -> throw new IllegalArgumentException("unknown verb " + args[0]);
        }
        out.flush();
    }

    // ---- the jars ----

    interface DefinitionVisitor {
        void visit(JarFile jar, JarEntry entry, Set<String> entryNames) throws Exception;
    }

    static void visitDefinitions(DefinitionVisitor visitor) throws Exception {
        for (String path : System.getProperty("java.class.path").split(File.pathSeparator)) {
            if (!path.endsWith(".jar")) continue;
            try (JarFile jar = new JarFile(path)) {
                List<JarEntry> entries = Collections.list(jar.entries());
                Set<String> names = new HashSet<>();
                for (JarEntry entry : entries) names.add(entry.getName());
                for (JarEntry entry : entries) {
                    String name = entry.getName();
                    boolean definition = name.startsWith("common/message/") || name.startsWith("common/metadata/");
                    if (definition && name.endsWith(".json")) visitor.visit(jar, entry, names);
                }
            }
        }
    }

    static void unpackSchemas(Path directory) throws Exception {
        visitDefinitions((jar, entry, names) -> {
            Path target = directory.resolve(entry.getName());
            Files.createDirectories(target.getParent());
            Files.write(target, jar.getInputStream(entry).readAllBytes());
        });
    }

    static Map<String, Codec> loadCodecs() throws Exception {
        Map<String, Codec> codecs = new TreeMap<>();
        visitDefinitions((jar, entry, names) -> {
            JsonNode definition = JSON.readTree(jar.getInputStream(entry));
            Versions valid = Versions.of(definition, "validVersions", Versions.NONE);
            if (valid == Versions.NONE) return;
            String name = definition.get("name").asText();
            String converter = converterIn(names, name);
            if (converter == null) return;
            Class<?> converterClass = Class.forName(converter);
            Class<?> dataClass = Class.forName(converter.substring(0, converter.length() - "JsonConverter".length()));
            Map<String, JsonNode> shared = new HashMap<>();
            for (JsonNode struct : definition.path("commonStructs")) shared.put(struct.get("name").asText(), struct.get("fields"));
            codecs.put(name, new Codec(name, definition.get("type").asText(),
                definition.has("apiKey") ? definition.get("apiKey").asInt() : null, valid,
                Versions.of(definition, "flexibleVersions", Versions.NONE), fields(definition.get("fields"), shared),
                dataClass, converterClass.getMethod("read", JsonNode.class, short.class),
                converterClass.getMethod("write", dataClass, short.class, boolean.class)));
        });
        return codecs;
    }

    /** A definition and its generated classes are in one jar; requests and responses get "Data" behind their name. */
    static String converterIn(Set<String> entryNames, String message) {
        for (String simple : List.of(message + "DataJsonConverter", message + "JsonConverter"))
            for (String entry : entryNames)
                if (entry.endsWith("/" + simple + ".class"))
                    return entry.substring(0, entry.length() - ".class".length()).replace('/', '.');
        return null;
    }

    static List<Field> fields(JsonNode declared, Map<String, JsonNode> shared) {
        List<Field> fields = new ArrayList<>();
        for (JsonNode field : declared) {
            String type = field.get("type").asText();
            String element = type.startsWith("[]") ? type.substring(2) : type;
            JsonNode inner = field.has("fields") ? field.get("fields") : shared.get(element);
            String name = field.get("name").asText();
            Versions tagged = Versions.of(field, "taggedVersions", Versions.NONE);
            // A tagged field may leave "versions" out (TransactionLogValue does): it exists where it is tagged.
            Versions unsaid = field.has("tag") ? tagged : new Versions(0, Short.MAX_VALUE);
            fields.add(new Field(name.substring(0, 1).toLowerCase() + name.substring(1), type,
                Versions.of(field, "versions", unsaid), Versions.of(field, "nullableVersions", Versions.NONE), tagged,
                inner == null ? null : fields(inner, shared)));
        }
        return fields;
    }

    // ---- decode, encode ----

    static void answerLines(String verb, PrintStream out) throws Exception {
        Map<String, Codec> codecs = loadCodecs();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            ObjectNode answer = JSON.createObjectNode();
            try {
                JsonNode question = JSON.readTree(line);
                Codec codec = codecs.get(question.get("message").asText());
                if (codec == null) throw new IllegalArgumentException("no message " + question.get("message"));
                int version = question.get("version").asInt();
                if (verb.equals("decode")) answer.set("json", codec.decode(HexFormat.of().parseHex(question.get("hex").asText()), version));
                else answer.put("hex", HexFormat.of().formatHex(codec.encode(question.get("json"), version)));
            } catch (Throwable failure) {
                answer.put("error", String.valueOf(failure.getCause() == null ? failure : failure.getCause()));
            }
            out.println(JSON.writeValueAsString(answer));
            if (!in.ready()) out.flush();
        }
    }

    // ---- gen ----

    static void generate(int samples, long seed, PrintStream out) throws Exception {
        for (Codec codec : loadCodecs().values()) {
            for (int version = codec.valid().lowest(); version <= codec.valid().highest(); version++) {
                // Own randomness per message and version: a sample stays the same when other messages change.
                Random random = new Random(seed * 1_000_003 + codec.name().hashCode() * 131L + version);
                for (int i = 0; i < samples; i++) {
                    JsonNode wish = new Samples(random, Mood.of(i), version).struct(codec.fields(), 0);
                    Message message;
                    byte[] bytes;
                    try {
                        message = (Message) codec.fromJson().invoke(null, wish, (short) version);
                        bytes = Codec.bytes(message, version);
                    } catch (Exception refused) {
                        Throwable cause = refused.getCause() == null ? refused : refused.getCause();
                        System.err.println("refused by Kafka: " + codec.name() + " v" + version + ": " + cause);
                        continue;
                    }
                    ObjectNode line = JSON.createObjectNode().put("message", codec.name()).put("kind", codec.kind());
                    if (codec.apiKey() != null) line.put("apiKey", codec.apiKey());
                    line.put("version", version).put("flexible", codec.flexible().has(version));
                    line.put("hex", HexFormat.of().formatHex(bytes));
                    line.set("json", codec.render(message, version));
                    out.println(JSON.writeValueAsString(line));
                }
            }
        }
    }

    /** The character of a sample; the first four differ on purpose, all later ones are mixed. */
    enum Mood {
        EMPTY, FULL, EXTREME, NULLS, MIXED;

        static Mood of(int index) {
            return index < 4 ? values()[index] : MIXED;
        }
    }

    /** Random content for the fields of one sample. */
    static class Samples {
        static final JsonNodeFactory NODES = JsonNodeFactory.instance;
        static final String[] ALPHABET = {"a", "Z", "0", ".", "_", "-", " ", "\"", "\\", "\n", "\u0000", "\u00e9", "\u4e16", "\ud83e\uddf5"};
        final Random random;
        final Mood mood;
        final int version;

        Samples(Random random, Mood mood, int version) {
            this.random = random;
            this.mood = mood;
            this.version = version;
        }

        boolean oneIn(int n) {
            return random.nextInt(n) == 0;
        }

        ObjectNode struct(List<Field> fields, int depth) {
            ObjectNode node = NODES.objectNode();
            for (Field field : fields) {
                if (!field.versions().has(version)) continue;
                if (field.tagged().has(version) && leaveTagOut()) continue;
                if (field.nullable().has(version) && makeNull()) node.putNull(field.key());
                else node.set(field.key(), value(field, field.type(), depth));
            }
            return node;
        }

        boolean leaveTagOut() {
            return switch (mood) {
                case EMPTY -> true;
                case FULL, EXTREME -> false;
                case NULLS, MIXED -> random.nextBoolean();
            };
        }

        boolean makeNull() {
            return switch (mood) {
                case EMPTY, FULL -> false;
                case NULLS -> true;
                case EXTREME, MIXED -> oneIn(5);
            };
        }

        JsonNode value(Field field, String type, int depth) {
            if (type.startsWith("[]")) {
                var array = NODES.arrayNode();
                for (int left = arraySize(field, depth); left > 0; left--) array.add(value(field, type.substring(2), depth + 1));
                return array;
            }
            return switch (type) {
                case "bool" -> NODES.booleanNode(mood != Mood.EMPTY && random.nextBoolean());
                case "int8" -> NODES.numberNode((int) integer(8));
                case "int16" -> NODES.numberNode((int) integer(16));
                case "uint16" -> NODES.numberNode((int) (integer(16) & 0xffff));
                case "int32" -> NODES.numberNode((int) integer(32));
                case "uint32" -> NODES.numberNode(integer(32) & 0xffffffffL);
                case "int64" -> NODES.numberNode(integer(64));
                case "float64" -> NODES.numberNode(floating());
                case "string" -> NODES.textNode(text());
                case "uuid" -> NODES.textNode(uuid().toString());
                case "bytes", "records" -> NODES.binaryNode(bytes());
                default -> struct(field.struct(), depth + 1);
            };
        }

        int arraySize(Field field, int depth) {
            if (mood == Mood.EMPTY) return 0;
            if (mood != Mood.FULL && oneIn(6)) return 0;
            if (depth > 2) return 1;
            // Past 127 elements the length of a compact array takes two bytes; only cheap elements go that far.
            if (field.struct() == null && oneIn(60)) return 127 + random.nextInt(3);
            return 1 + random.nextInt(3);
        }

        /** Signed, within the given number of bits; half of them at a boundary of the type or of its varint form. */
        long integer(int bits) {
            long highest = bits == 64 ? Long.MAX_VALUE : (1L << (bits - 1)) - 1;
            if (mood == Mood.EMPTY) return 0;
            int shift = 64 - bits;
            if (mood == Mood.EXTREME || oneIn(4)) {
                return switch (random.nextInt(5)) {
                    case 0 -> highest;
                    case 1 -> -highest - 1;
                    case 2 -> -1;
                    case 3 -> 0;
                    // Just about a power of two: varint borders, and 2^53 where a double ends to be exact.
                    default -> ((1L << random.nextInt(64)) + random.nextInt(3) - 1) << shift >> shift;
                };
            }
            return oneIn(4) ? random.nextLong() << shift >> shift : random.nextInt((int) Math.min(highest, 5000));
        }

        double floating() {
            if (mood == Mood.EMPTY) return 0;
            if (mood == Mood.EXTREME)
                return new double[] {Double.MAX_VALUE, -Double.MAX_VALUE, Double.MIN_VALUE, 1e-7, 1e21, 0.1}[random.nextInt(6)];
            return random.nextGaussian() * Math.pow(10, random.nextInt(12) - 3);
        }

        Uuid uuid() {
            return mood == Mood.EMPTY ? Uuid.ZERO_UUID : new Uuid(random.nextLong(), random.nextLong());
        }

        /** Lengths about the borders at which a length needs one more byte, now and then a really long one. */
        int length() {
            if (mood == Mood.EMPTY) return 0;
            if (mood == Mood.EXTREME && oneIn(3)) return 126 + random.nextInt(4);
            if (oneIn(300)) return 16_382 + random.nextInt(4);
            if (oneIn(8)) return 0;
            return 1 + random.nextInt(20);
        }

        byte[] bytes() {
            byte[] bytes = new byte[length()];
            random.nextBytes(bytes);
            return bytes;
        }

        String text() {
            int length = length();
            boolean plain = random.nextBoolean();
            StringBuilder text = new StringBuilder();
            while (text.length() < length)
                text.append(plain ? String.valueOf((char) ('a' + random.nextInt(26))) : ALPHABET[random.nextInt(ALPHABET.length)]);
            return text.toString();
        }
    }
}
