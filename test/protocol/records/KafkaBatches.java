import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.*;
import java.util.function.Supplier;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.errors.*;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.*;
import org.apache.kafka.common.requests.ProduceRequest;
import org.apache.kafka.common.utils.*;
import org.apache.kafka.storage.internals.log.*;

/**
 * Apache Kafka 4.3.1's own record batches, for the tests beside this file. With Kafka's jars in LIBS:
 *
 *   java -cp "LIBS/*" KafkaBatches.java gen        one JSON line per batch: format, codec, bytes and the records in them
 *                                                  (kafka-batches.jsonl is what it printed)
 *   java -cp "LIBS/*" KafkaBatches.java read       lines {"hex"}: the records that Kafka reads, or {"error"}
 *   java -cp "LIBS/*" KafkaBatches.java validate   lines {"hex","version","compacted","afterMaxMs"}: the error with which a
 *                                                  broker refuses the produced bytes ({"error": null} where it does not),
 *                                                  the refused records and the batch as it would be stored
 */
public class KafkaBatches {
    static final ObjectMapper JSON = new ObjectMapper();
    static final long NOW = 1_700_000_000_000L;

    public static void main(String[] args) throws Exception {
        if (args[0].equals("gen")) generate();
        else {
            BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            for (String s; (s = in.readLine()) != null; ) {
                JsonNode q = JSON.readTree(s);
                System.out.println(JSON.writeValueAsString(args[0].equals("read") ? read(q) : validate(q)));
            }
        }
    }

    static void generate() throws Exception {
        Random rnd = new Random(7);
        for (byte magic = 0; magic <= 2; magic++)
            for (CompressionType type : CompressionType.values()) {
                if (type == CompressionType.ZSTD && magic < 2) continue;
                for (int size : new int[] {1, 3, 12})
                    for (TimestampType time : new TimestampType[] {TimestampType.CREATE_TIME, TimestampType.LOG_APPEND_TIME}) {
                        if (time == TimestampType.LOG_APPEND_TIME && (magic == 0 || size != 3)) continue;
                        emit(rnd, magic, type, size, time);
                    }
            }
    }

    static void emit(Random rnd, byte magic, CompressionType type, int size, TimestampType time) throws Exception {
        boolean idempotent = magic == 2 && rnd.nextBoolean();
        MemoryRecordsBuilder builder = MemoryRecords.builder(ByteBuffer.allocate(1 << 16), magic, Compression.of(type).build(), time,
            1000, time == TimestampType.LOG_APPEND_TIME ? NOW : -1L, idempotent ? 4711L : -1L, idempotent ? (short) 3 : (short) -1,
            idempotent ? 17 : -1, idempotent && rnd.nextBoolean(), magic == 2 ? 5 : -1);
        long offset = 1000;
        for (int i = 0; i < size; i++) {
            Header[] headers = magic < 2 || rnd.nextInt(3) > 0 ? new Header[0]
                : new Header[] {new RecordHeader("h\u00e9" + i, bytes(rnd)), new RecordHeader("", null)};
            builder.appendWithOffset(offset, NOW + rnd.nextInt(5_000_000) - 2_500_000, bytes(rnd), bytes(rnd), headers);
            offset += 1;
        }
        ByteBuffer built = builder.build().buffer();
        byte[] all = new byte[built.remaining()];
        built.get(all);
        ObjectNode line = JSON.createObjectNode().put("magic", magic).put("codec", type.name).put("hex", HexFormat.of().formatHex(all));
        line.set("records", records(MemoryRecords.readableRecords(ByteBuffer.wrap(all))));
        System.out.println(JSON.writeValueAsString(line));
    }

    static byte[] bytes(Random rnd) {
        if (rnd.nextInt(5) == 0) return null;
        byte[] b = new byte[rnd.nextInt(4) == 0 ? 0 : rnd.nextInt(20)];
        for (int i = 0; i < b.length; i++) b[i] = (byte) ('a' + rnd.nextInt(4));
        return b;
    }

    static ArrayNode records(MemoryRecords all) {
        ArrayNode list = JSON.createArrayNode();
        for (RecordBatch batch : all.batches())
            for (org.apache.kafka.common.record.internal.Record r : batch) {
                ObjectNode o = list.addObject().put("offset", r.offset()).put("timestamp", r.timestamp());
                o.put("key", hex(r.key())).put("value", hex(r.value()));
                ArrayNode headers = o.putArray("headers");
                for (Header h : r.headers()) headers.addArray().add(h.key()).add(h.value() == null ? null : HexFormat.of().formatHex(h.value()));
            }
        return list;
    }

    static String hex(ByteBuffer b) {
        return b == null ? null : HexFormat.of().formatHex(Utils.toArray(b));
    }

    static ObjectNode read(JsonNode q) {
        ObjectNode answer = JSON.createObjectNode();
        try {
            MemoryRecords all = MemoryRecords.readableRecords(ByteBuffer.wrap(HexFormat.of().parseHex(q.get("hex").asText())));
            for (RecordBatch batch : all.batches()) batch.ensureValid();
            answer.set("records", records(all));
        } catch (Throwable e) {
            answer.put("error", e.toString());
        }
        return answer;
    }

    static ObjectNode validate(JsonNode q) {
        ObjectNode answer = JSON.createObjectNode();
        ByteBuffer bytes = ByteBuffer.wrap(HexFormat.of().parseHex(q.get("hex").asText()));
        try {
            MemoryRecords all = MemoryRecords.readableRecords(bytes);
            ProduceRequest.validateRecords((short) q.get("version").asInt(), all);
            CompressionType source = CompressionType.NONE;
            int valid = 0;
            // the checks of UnifiedLog.analyzeAndValidateRecords, which is private
            for (MutableRecordBatch batch : all.batches()) {
                if (batch.baseOffset() != 0) throw new org.apache.kafka.common.InvalidRecordException("base offset");
                batch.lastOffset();
                if (!batch.isValid()) throw new CorruptRecordException("crc");
                if (batch.compressionType() != CompressionType.NONE) source = batch.compressionType();
                valid += batch.sizeInBytes();
            }
            ByteBuffer trimmed = bytes.duplicate().position(0).limit(valid);
            LogValidator validator = new LogValidator(MemoryRecords.readableRecords(trimmed.slice()), new TopicPartition("t", 0),
                new FixedTime(), source, Compression.of(source).build(), q.path("compacted").asBoolean(), (byte) 2,
                q.path("logAppendTime").asBoolean() ? TimestampType.LOG_APPEND_TIME : TimestampType.CREATE_TIME,
                q.path("beforeMaxMs").asLong(Long.MAX_VALUE), q.path("afterMaxMs").asLong(3_600_000), 9, AppendOrigin.CLIENT);
            LogValidator.ValidationResult result = validator.validateMessagesAndAssignOffsets(PrimitiveRef.ofLong(500), new NoMetrics(), BufferSupplier.NO_CACHING);
            answer.putNull("error").put("stored", HexFormat.of().formatHex(Utils.toArray(result.validatedRecords().buffer().duplicate())));
            answer.put("changed", result.messageSizeMaybeChanged()).put("maxTimestamp", result.maxTimestampMs());
        } catch (RecordValidationException e) {
            answer.put("error", Errors.forException(e.invalidException()).name());
            ArrayNode list = answer.putArray("recordErrors");
            e.recordErrors().forEach(r -> list.addObject().put("batchIndex", r.batchIndex).put("message", r.message));
        } catch (Throwable e) {
            answer.put("error", Errors.forException(e).name()).put("cause", e.toString());
        }
        return answer;
    }

    static class FixedTime implements Time {
        public long milliseconds() { return NOW; }
        public long nanoseconds() { return 0; }
        public void sleep(long ms) {}
        public void waitObject(Object o, Supplier<Boolean> condition, long deadlineMs) {}
    }

    static class NoMetrics implements LogValidator.MetricsRecorder {
        public void recordInvalidMagic() {}
        public void recordInvalidOffset() {}
        public void recordInvalidSequence() {}
        public void recordInvalidChecksums() {}
        public void recordNoKeyCompactedTopic() {}
    }
}
