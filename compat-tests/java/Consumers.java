import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Scanner;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.SubscriptionPattern;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * Consumers of one group in one process, driven by lines on standard input:
 *
 *   start NAME topic=T[,T] | regex=RE2 | pattern=JAVA_PATTERN [property=value ...]
 *   stop NAME        close the consumer: it leaves the group
 *   quit
 *
 * What happens is printed, one line an event: "assigned NAME t-0 t-1" (all that it owns now), "records NAME N" (so many in
 * all), "stopped NAME", "failed NAME ERROR".
 */
public class Consumers {
  private static final Map<String, Member> members = new HashMap<>();

  public static void main(String[] args) {
    String bootstrapServers = args[0];
    String group = args[1];
    Scanner in = new Scanner(System.in);
    while (in.hasNextLine()) {
      String[] words = in.nextLine().trim().split(" ");
      switch (words[0]) {
        case "start" -> {
          Member member = new Member(bootstrapServers, group, words);
          members.put(words[1], member);
          member.start();
        }
        case "stop" -> members.remove(words[1]).commands.add("stop");
        case "quit" -> members.values().forEach(member -> member.commands.add("stop"));
        default -> say("failed - unknown command " + words[0]);
      }
      if (words[0].equals("quit")) break;
    }
  }

  static synchronized void say(String line) {
    System.out.println(line);
    System.out.flush();
  }

  private static class Member extends Thread {
    final ConcurrentLinkedQueue<String> commands = new ConcurrentLinkedQueue<>();
    private final String name;
    private final Properties properties = new Properties();
    private List<String> topics;
    private SubscriptionPattern regex;
    private Pattern pattern;
    private long count = 0;

    Member(String bootstrapServers, String group, String[] words) {
      name = words[1];
      properties.put("bootstrap.servers", bootstrapServers);
      properties.put("group.id", group);
      properties.put("client.id", name);
      properties.put("auto.offset.reset", "earliest");
      properties.put("auto.commit.interval.ms", "200");
      properties.put("metadata.max.age.ms", "1000");
      properties.put("key.deserializer", StringDeserializer.class);
      properties.put("value.deserializer", StringDeserializer.class);
      for (int i = 2; i < words.length; i++) {
        String key = words[i].substring(0, words[i].indexOf('='));
        String value = words[i].substring(words[i].indexOf('=') + 1);
        switch (key) {
          case "topic" -> topics = List.of(value.split(","));
          case "regex" -> regex = new SubscriptionPattern(value);
          case "pattern" -> pattern = Pattern.compile(value);
          default -> properties.put(key, value);
        }
      }
    }

    @Override
    public void run() {
      try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(properties)) {
        Listener listener = new Listener(consumer);
        if (topics != null) consumer.subscribe(topics, listener);
        else if (regex != null) consumer.subscribe(regex, listener);
        else consumer.subscribe(pattern, listener);
        while (commands.poll() == null) {
          int polled = 0;
          for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(100))) polled++;
          count += polled;
          if (polled > 0) say("records " + name + " " + count);
        }
      } catch (Throwable error) {
        say("failed " + name + " " + error);
      }
      say("stopped " + name);
    }

    private class Listener implements ConsumerRebalanceListener {
      private final KafkaConsumer<String, String> consumer;

      Listener(KafkaConsumer<String, String> consumer) {
        this.consumer = consumer;
      }

      @Override
      public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
        tell(consumer.assignment());
      }

      @Override
      public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
        Collection<TopicPartition> left = new ArrayList<>(consumer.assignment());
        left.removeAll(partitions);
        tell(left);
      }

      @Override
      public void onPartitionsLost(Collection<TopicPartition> partitions) {
        say("lost " + name);
        onPartitionsRevoked(partitions);
      }

      private void tell(Collection<TopicPartition> owned) {
        TreeSet<String> names = owned.stream().map(TopicPartition::toString).collect(Collectors.toCollection(TreeSet::new));
        say(("assigned " + name + " " + String.join(" ", names)).trim());
      }
    }
  }
}
