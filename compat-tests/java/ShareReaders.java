import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.Scanner;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * Members of one share group in one process, until a line comes on standard input. Prints "record NAME VALUE" for each record that one of
 * them gets, "failed NAME ERROR" and "stopped NAME". Arguments: bootstrap servers, group, topic, how many members.
 */
public class ShareReaders {
  private static final AtomicBoolean isOver = new AtomicBoolean();

  public static void main(String[] args) throws Exception {
    List<Thread> members = new ArrayList<>();
    for (int i = 0; i < Integer.parseInt(args[3]); i++) {
      String name = "m" + i;
      members.add(new Thread(() -> read(args[0], args[1], args[2], name)));
    }
    members.forEach(Thread::start);
    new Scanner(System.in).hasNextLine();
    isOver.set(true);
    for (Thread member : members) member.join();
  }

  private static void read(String bootstrapServers, String group, String topic, String name) {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", bootstrapServers);
    properties.put("group.id", group);
    properties.put("client.id", name);
    properties.put("max.poll.records", 10);
    try (KafkaShareConsumer<String, String> consumer = new KafkaShareConsumer<>(properties, new StringDeserializer(), new StringDeserializer())) {
      consumer.subscribe(List.of(topic));
      while (!isOver.get()) {
        for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(100))) say("record " + name + " " + record.value());
      }
    } catch (Throwable error) {
      say("failed " + name + " " + error);
    }
    say("stopped " + name);
  }

  private static synchronized void say(String line) {
    System.out.println(line);
    System.out.flush();
  }
}
