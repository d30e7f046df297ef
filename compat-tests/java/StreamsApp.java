import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StoreQueryParameters;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.processor.StateRestoreListener;
import org.apache.kafka.streams.state.QueryableStoreTypes;

/**
 * An application of Kafka Streams that the tests drive. Arguments name=value: `app` (wordcount, join or window), `in`, `table` (of the
 * join), `out`; all others are configurations. It prints a line for each change of its state, each restored store and each error, and
 * takes lines: `get KEY` (answered from the local store), `tasks`, `close`. The end of its input closes it, too.
 */
public class StreamsApp {
    private static final String STORE = "store";

    public static void main(String[] args) throws Exception {
        Map<String, String> own = new HashMap<>();
        Properties config = new Properties();
        config.put("default.key.serde", Serdes.StringSerde.class.getName());
        config.put("default.value.serde", Serdes.StringSerde.class.getName());
        config.put("statestore.cache.max.bytes", "0");
        config.put("commit.interval.ms", "100");
        config.put("auto.offset.reset", "earliest");
        for (String arg : args) {
            String[] pair = arg.split("=", 2);
            if (pair[0].matches("app|in|table|out")) own.put(pair[0], pair[1]);
            else config.put(pair[0], pair[1]);
        }
        KafkaStreams streams = new KafkaStreams(topology(own), config);
        streams.setStateListener((now, before) -> say("state " + now));
        streams.setGlobalStateRestoreListener(new Restored());
        streams.setUncaughtExceptionHandler(error -> {
            say("error " + error);
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        streams.start();
        serve(streams);
        streams.close(Duration.ofSeconds(20));
        say("closed");
        System.exit(0);
    }

    private static Topology topology(Map<String, String> own) {
        StreamsBuilder builder = new StreamsBuilder();
        Produced<String, String> produced = Produced.with(Serdes.String(), Serdes.String());
        KStream<String, String> in = builder.stream(own.get("in"), Consumed.with(Serdes.String(), Serdes.String()));
        switch (own.get("app")) {
            case "wordcount" -> in
                .flatMapValues(line -> Arrays.asList(line.toLowerCase().split("\\W+")))
                .groupBy((key, word) -> word, Grouped.with("words", Serdes.String(), Serdes.String()))
                .count(Materialized.as(STORE))
                .toStream()
                .mapValues(count -> Long.toString(count))
                .to(own.get("out"), produced);
            case "join" -> in
                .join(builder.table(own.get("table"), Materialized.as(STORE)), (left, right) -> left + "+" + right)
                .to(own.get("out"), produced);
            case "window" -> in
                .groupByKey()
                .windowedBy(TimeWindows.ofSizeWithNoGrace(Duration.ofSeconds(10)))
                .count(Materialized.as(STORE))
                .toStream()
                .map((window, count) -> KeyValue.pair(window.key() + "@" + window.window().start(), Long.toString(count)))
                .to(own.get("out"), produced);
            default -> throw new IllegalArgumentException(own.get("app"));
        }
        return builder.build();
    }

    private static void serve(KafkaStreams streams) throws Exception {
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
        for (String line = input.readLine(); line != null && !line.equals("close"); line = input.readLine()) {
            if (line.equals("tasks")) say("tasks " + streams.metadataForLocalThreads());
            if (line.startsWith("get ")) say("value " + get(streams, line.substring(4)));
        }
    }

    private static Object get(KafkaStreams streams, String key) {
        try {
            return streams.store(StoreQueryParameters.fromNameAndType(STORE, QueryableStoreTypes.keyValueStore())).get(key);
        } catch (RuntimeException notReady) {
            return notReady;
        }
    }

    private static synchronized void say(String line) {
        System.out.println(line.replace('\n', ' '));
    }

    private static class Restored implements StateRestoreListener {
        @Override
        public void onRestoreStart(TopicPartition partition, String store, long start, long end) {}

        @Override
        public void onBatchRestored(TopicPartition partition, String store, long end, long count) {}

        @Override
        public void onRestoreEnd(TopicPartition partition, String store, long count) {
            say("restored " + store + " " + partition.partition() + " " + count);
        }
    }
}
