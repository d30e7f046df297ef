import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Transactions a second of Java's producers: bootstrap servers, topic, partitions, producers, records a transaction, bytes a record, seconds
 * to warm up, seconds. Each producer has a thread, which begins, sends, and commits. The last line is JSON.
 */
public class TransactionLoad {
    public static void main(String[] args) throws Exception {
        String topic = args[1];
        int partitions = Integer.parseInt(args[2]);
        int producers = Integer.parseInt(args[3]);
        int records = Integer.parseInt(args[4]);
        byte[] value = new byte[Integer.parseInt(args[5])];
        long warmUpNs = Long.parseLong(args[6]) * 1_000_000_000L;
        long measureNs = Long.parseLong(args[7]) * 1_000_000_000L;
        Properties properties = new Properties();
        properties.put("bootstrap.servers", args[0]);
        try (Admin admin = Admin.create(properties)) {
            admin.createTopics(List.of(new NewTopic(topic, partitions, (short) 1))).all().get();
        }
        AtomicLong committed = new AtomicLong();
        AtomicLong totalNs = new AtomicLong();
        CountDownLatch ready = new CountDownLatch(producers);
        List<Thread> threads = new ArrayList<>();
        List<Throwable> failures = new ArrayList<>();
        for (int p = 0; p < producers; p++) {
            int number = p;
            Thread thread = new Thread(() -> {
                Properties own = new Properties();
                own.putAll(properties);
                own.put("transactional.id", topic + "-" + number);
                try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(own, new ByteArraySerializer(), new ByteArraySerializer())) {
                    producer.initTransactions();
                    ready.countDown();
                    ready.await();
                    long from = System.nanoTime() + warmUpNs;
                    long until = from + measureNs;
                    for (long begun = System.nanoTime(); begun < until; begun = System.nanoTime()) {
                        producer.beginTransaction();
                        for (int r = 0; r < records; r++) producer.send(new ProducerRecord<>(topic, r % partitions, null, value));
                        // else the producer may ask for the commit before its records are on their way (compat-tests/FINDINGS.md)
                        producer.flush();
                        producer.commitTransaction();
                        if (begun < from) continue;
                        committed.incrementAndGet();
                        totalNs.addAndGet(System.nanoTime() - begun);
                    }
                } catch (Throwable failure) {
                    synchronized (failures) {
                        failures.add(failure);
                    }
                    ready.countDown();
                }
            });
            threads.add(thread);
            thread.start();
        }
        for (Thread thread : threads) thread.join();
        if (!failures.isEmpty()) throw new IllegalStateException(failures.get(0));
        double seconds = measureNs / 1e9;
        System.out.println("{\"rate\": " + committed.get() / seconds + ", \"meanMs\": " + totalNs.get() / 1e6 / committed.get() + "}");
    }
}
