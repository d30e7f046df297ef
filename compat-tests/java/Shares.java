import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.ShareGroupDescription;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Share groups as Java's own clients know them. Each scenario prints lines `scenario: what was seen`; whoever runs this compares
 * them. Arguments: bootstrap servers, then the scenarios.
 */
public class Shares {
    static final Duration POLL = Duration.ofMillis(200);
    static final long PATIENCE_MS = 60_000;
    static String bootstrap;
    static String scenario;
    static Admin admin;

    public static void main(String[] args) throws Exception {
        bootstrap = args[0];
        admin = Admin.create(properties());
        Map<String, Callable<Void>> scenarios = Map.of("crowd", Shares::crowd, "acknowledge", Shares::acknowledge, "leave", Shares::leave);
        for (int i = 1; i < args.length; i++) {
            scenario = args[i];
            scenarios.get(scenario).call();
        }
        admin.close();
    }

    /** More members than partitions read every record, and each record once. */
    static Void crowd() throws Exception {
        String topic = topic(2);
        String group = group();
        produce(topic, 500);
        Map<String, Integer> seen = new ConcurrentHashMap<>();
        Set<Integer> readers = ConcurrentHashMap.newKeySet();
        AtomicBoolean isOver = new AtomicBoolean();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            int reader = i;
            threads.add(new Thread(() -> {
                try (KafkaShareConsumer<String, String> consumer = consumer(group, Map.of("max.poll.records", 20))) {
                    consumer.subscribe(List.of(topic));
                    while (!isOver.get()) {
                        ConsumerRecords<String, String> records = consumer.poll(POLL);
                        if (!records.isEmpty()) readers.add(reader);
                        for (ConsumerRecord<String, String> r : records) seen.merge(r.value(), 1, Integer::sum);
                    }
                }
            }));
        }
        threads.forEach(Thread::start);
        await(() -> seen.size() == 500);
        ShareGroupDescription described = admin.describeShareGroups(List.of(group)).all().get().get(group);
        say("state " + described.groupState() + ", members " + described.members().size());
        isOver.set(true);
        for (Thread thread : threads) thread.join();
        say("seen " + seen.size() + ", more than once " + seen.values().stream().filter(n -> n > 1).count());
        say("several readers " + (readers.size() > 1));
        say("state " + admin.describeShareGroups(List.of(group)).all().get().get(group).groupState());
        return null;
    }

    /** What is released comes again, what is rejected does not. */
    static Void acknowledge() throws Exception {
        String topic = topic(1);
        String group = group();
        produce(topic, 9);
        Map<String, Integer> seen = new TreeMap<>();
        try (KafkaShareConsumer<String, String> consumer = consumer(group, Map.of("share.acknowledgement.mode", "explicit"))) {
            consumer.subscribe(List.of(topic));
            await(() -> {
                for (ConsumerRecord<String, String> r : consumer.poll(POLL)) {
                    boolean isFirst = seen.merge(r.value(), 1, Integer::sum) == 1;
                    int number = Integer.parseInt(r.value());
                    consumer.acknowledge(r, number % 3 == 0 ? AcknowledgeType.ACCEPT : number % 3 == 1 ? AcknowledgeType.REJECT
                        : isFirst ? AcknowledgeType.RELEASE : AcknowledgeType.ACCEPT);
                }
                consumer.commitSync();
                return seen.size() == 9 && seen.get("2") == 2 && seen.get("5") == 2 && seen.get("8") == 2;
            });
            consumer.poll(POLL);
        }
        say(seen);
        return null;
    }

    /** What a member had and did not acknowledge goes to those who stay. */
    static Void leave() throws Exception {
        String topic = topic(1);
        String group = group();
        produce(topic, 10);
        KafkaShareConsumer<String, String> first = consumer(group, Map.of("share.acknowledgement.mode", "explicit"));
        first.subscribe(List.of(topic));
        List<ConsumerRecord<String, String>> held = new ArrayList<>();
        await(() -> {
            if (held.isEmpty()) first.poll(POLL).forEach(held::add);
            return held.size() == 10;
        });
        for (ConsumerRecord<String, String> r : held)
            first.acknowledge(r, r.offset() < 4 ? AcknowledgeType.ACCEPT : AcknowledgeType.RELEASE);
        first.close();
        Collection<String> rest = new TreeSet<>();
        short[] deliveries = new short[1];
        try (KafkaShareConsumer<String, String> second = consumer(group, Map.of())) {
            second.subscribe(List.of(topic));
            await(() -> {
                for (ConsumerRecord<String, String> r : second.poll(POLL)) {
                    rest.add(r.value());
                    deliveries[0] = r.deliveryCount().orElse((short) 0);
                }
                return rest.size() >= 6;
            });
        }
        say(rest + ", delivery " + deliveries[0]);
        return null;
    }

    static void say(Object seen) {
        System.out.println(scenario + ": " + seen);
    }

    static void await(Callable<Boolean> check) throws Exception {
        long deadline = System.currentTimeMillis() + PATIENCE_MS;
        while (!check.call()) {
            if (System.currentTimeMillis() > deadline) throw new IllegalStateException(scenario + " waited in vain");
            Thread.sleep(10);
        }
    }

    static Properties properties() {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", bootstrap);
        return properties;
    }

    static KafkaShareConsumer<String, String> consumer(String group, Map<String, Object> more) {
        Properties properties = properties();
        properties.put("group.id", group);
        properties.putAll(more);
        return new KafkaShareConsumer<>(properties, new StringDeserializer(), new StringDeserializer());
    }

    static String topic(int partitions) throws Exception {
        String topic = scenario + "-" + System.nanoTime();
        admin.createTopics(List.of(new NewTopic(topic, partitions, (short) 1))).all().get();
        return topic;
    }

    /** A group that reads from the beginning. */
    static String group() throws Exception {
        String group = scenario + "-group-" + System.nanoTime();
        AlterConfigOp earliest = new AlterConfigOp(new ConfigEntry("share.auto.offset.reset", "earliest"), AlterConfigOp.OpType.SET);
        admin.incrementalAlterConfigs(Map.of(new ConfigResource(ConfigResource.Type.GROUP, group), List.of(earliest))).all().get();
        return group;
    }

    /** Records 0, 1, ... over the partitions in turn. */
    static void produce(String topic, int count) throws Exception {
        int partitions = admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().size();
        Properties properties = properties();
        properties.put("linger.ms", 0);
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer())) {
            for (int i = 0; i < count; i++) producer.send(new ProducerRecord<>(topic, i % partitions, null, "" + i));
        }
    }
}
