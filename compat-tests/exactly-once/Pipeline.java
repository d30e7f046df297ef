import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * A read-process-write pipeline that begins anew after every failure, with the same transactional id.
 *
 *   feed BOOTSTRAP TOPIC               writes numbered records until standard input ends (idempotent; what fails is given up)
 *   copy BOOTSTRAP FROM TO GROUP SEED  copies each record as "partition/offset" to the partition of the same number, in transactions of which
 *                                      one in ten is aborted; commits its position with them; until standard input ends
 *   dump BOOTSTRAP TOPIC               prints "partition offset value" of all committed records
 */
public class Pipeline {
    private static final Duration POLL = Duration.ofMillis(100);
    private static final Random random = new Random();
    private static volatile boolean over = false;

    public static void main(String[] args) throws Exception {
        if (args[0].equals("dump")) {
            dump(args[1], args[2]);
            return;
        }
        Thread input = new Thread(() -> {
            try {
                while (System.in.read() >= 0) { }
            } catch (java.io.IOException e) {
                // the parent is gone: that is the end, too
            }
            over = true;
        });
        input.setDaemon(true);
        input.start();
        if (args[0].equals("copy")) random.setSeed(Long.parseLong(args[5]));
        while (!over) {
            try {
                if (args[0].equals("feed")) feed(args[1], args[2]);
                else copy(args[1], args[2], args[3], args[4]);
            } catch (RuntimeException e) {
                System.out.println("failed: " + e);
                Thread.sleep(50);
            }
        }
    }

    private static Properties common(String bootstrap) {
        Properties p = new Properties();
        p.put("bootstrap.servers", bootstrap);
        p.put("reconnect.backoff.ms", "20");
        p.put("reconnect.backoff.max.ms", "200");
        p.put("retry.backoff.ms", "20");
        p.put("retry.backoff.max.ms", "200");
        p.put("request.timeout.ms", "5000");
        p.put("default.api.timeout.ms", "10000");
        return p;
    }

    private static KafkaProducer<String, String> producer(String bootstrap, String transactionalId) {
        Properties p = common(bootstrap);
        p.remove("default.api.timeout.ms");
        p.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, "10000");
        p.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, "10000");
        p.put(ProducerConfig.ACKS_CONFIG, "all");
        if (transactionalId != null) {
            p.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, transactionalId);
            p.put(ProducerConfig.TRANSACTION_TIMEOUT_CONFIG, "10000");
        }
        return new KafkaProducer<>(p, new StringSerializer(), new StringSerializer());
    }

    private static KafkaConsumer<String, String> consumer(String bootstrap, String group) {
        Properties p = common(bootstrap);
        if (group != null) p.put(ConsumerConfig.GROUP_ID_CONFIG, group);
        p.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, "false");
        p.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        p.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        p.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, "200");
        return new KafkaConsumer<>(p, new StringDeserializer(), new StringDeserializer());
    }

    private static List<TopicPartition> partitionsOf(KafkaConsumer<String, String> consumer, String topic) {
        List<TopicPartition> partitions = new ArrayList<>();
        for (PartitionInfo info : consumer.partitionsFor(topic)) partitions.add(new TopicPartition(topic, info.partition()));
        return partitions;
    }

    private static void feed(String bootstrap, String topic) throws InterruptedException {
        try (KafkaProducer<String, String> producer = producer(bootstrap, null)) {
            int partitions = producer.partitionsFor(topic).size();
            for (int i = 0; !over; i++) {
                producer.send(new ProducerRecord<>(topic, i % partitions, null, "record " + i));
                if (i % 20 == 0) Thread.sleep(5);
            }
        }
    }

    private static void copy(String bootstrap, String from, String to, String group) {
        try (KafkaProducer<String, String> producer = producer(bootstrap, "copy-" + group);
             KafkaConsumer<String, String> consumer = consumer(bootstrap, group)) {
            producer.initTransactions();
            List<TopicPartition> partitions = partitionsOf(consumer, from);
            consumer.assign(partitions);
            while (!over) {
                ConsumerRecords<String, String> records = consumer.poll(POLL);
                if (records.isEmpty()) continue;
                producer.beginTransaction();
                Map<TopicPartition, OffsetAndMetadata> positions = new HashMap<>();
                for (ConsumerRecord<String, String> record : records) {
                    String value = record.partition() + "/" + record.offset();
                    producer.send(new ProducerRecord<>(to, record.partition(), null, value));
                    positions.put(new TopicPartition(from, record.partition()), new OffsetAndMetadata(record.offset() + 1));
                }
                producer.sendOffsetsToTransaction(positions, new ConsumerGroupMetadata(group));
                if (random.nextInt(10) == 0) {
                    producer.flush();
                    producer.abortTransaction();
                    goBack(consumer, new HashSet<>(partitions));
                } else {
                    producer.commitTransaction();
                    System.out.println("committed " + records.count());
                }
            }
        }
    }

    /** To what is committed: an aborted transaction takes its position back with it. */
    private static void goBack(KafkaConsumer<String, String> consumer, HashSet<TopicPartition> partitions) {
        consumer.committed(partitions).forEach((partition, committed) -> {
            if (committed == null) consumer.seekToBeginning(List.of(partition));
            else consumer.seek(partition, committed);
        });
    }

    private static void dump(String bootstrap, String topic) {
        try (KafkaConsumer<String, String> consumer = consumer(bootstrap, null)) {
            List<TopicPartition> partitions = partitionsOf(consumer, topic);
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            StringBuilder out = new StringBuilder();
            while (partitions.stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition))) {
                for (ConsumerRecord<String, String> record : consumer.poll(POLL)) {
                    out.append(record.partition()).append(' ').append(record.offset()).append(' ').append(record.value()).append('\n');
                }
            }
            System.out.print(out);
        }
    }
}
