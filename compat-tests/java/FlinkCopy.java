import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.MapFunction;
import org.apache.flink.api.common.serialization.SimpleStringSchema;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * A job of Flink's that copies a topic to another one, exactly once: what is there when it starts, and then it ends. In the middle of the way it
 * fails once and goes on from its last checkpoint. Arguments: bootstrap servers, from, to, group, how many records to fail after.
 * Prints "copied N" now and then, "fails", and "done".
 */
public class FlinkCopy {
  public static void main(String[] args) throws Exception {
    Configuration configuration = new Configuration();
    configuration.setString("restart-strategy.type", "fixed-delay");
    configuration.setString("restart-strategy.fixed-delay.attempts", "100");
    configuration.setString("restart-strategy.fixed-delay.delay", "100ms");
    configuration.setString("rest.port", "0");
    StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment(configuration);
    environment.setParallelism(2);
    environment.enableCheckpointing(300);
    KafkaSource<String> source = KafkaSource.<String>builder()
      .setBootstrapServers(args[0])
      .setTopics(args[1])
      .setGroupId(args[3])
      .setStartingOffsets(OffsetsInitializer.earliest())
      .setBounded(OffsetsInitializer.latest())
      .setValueOnlyDeserializer(new SimpleStringSchema())
      .build();
    KafkaSink<String> sink = KafkaSink.<String>builder()
      .setBootstrapServers(args[0])
      .setRecordSerializer(KafkaRecordSerializationSchema.builder().setTopic(args[2]).setValueSerializationSchema(new SimpleStringSchema()).build())
      .setDeliveryGuarantee(DeliveryGuarantee.EXACTLY_ONCE)
      .setTransactionalIdPrefix(args[3])
      .setProperty("transaction.timeout.ms", "60000")
      .build();
    environment.fromSource(source, WatermarkStrategy.noWatermarks(), "source").map(new Slowly(Integer.parseInt(args[4]))).sinkTo(sink);
    environment.execute("copy");
    say("done");
  }

  /** A millisecond or so each; fails once in the life of the process. */
  private static class Slowly implements MapFunction<String, String> {
    private static final AtomicBoolean hasFailed = new AtomicBoolean();
    private final int failAfter;
    private int count;

    Slowly(int failAfter) {
      this.failAfter = failAfter;
    }

    @Override
    public String map(String value) throws Exception {
      Thread.sleep(1);
      if (++count % 500 == 0) say("copied " + count);
      if (count == failAfter && hasFailed.compareAndSet(false, true)) {
        say("fails");
        throw new IllegalStateException("as it was told to");
      }
      return value;
    }
  }

  private static synchronized void say(String line) {
    System.out.println(line);
    System.out.flush();
  }
}
