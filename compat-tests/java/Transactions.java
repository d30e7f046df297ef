import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import org.apache.kafka.clients.admin.AbortTransactionSpec;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.ProducerState;
import org.apache.kafka.clients.admin.TransactionDescription;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Transactions as Java's own clients make them. Each scenario prints lines `scenario: what was seen`; whoever runs this
 * compares them. Arguments: bootstrap servers, then the scenarios.
 */
public class Transactions {
    static String bootstrap;
    static String scenario;
    static Admin admin;

    public static void main(String[] args) throws Exception {
        bootstrap = args[0];
        admin = Admin.create(clientProperties());
        Map<String, Callable<Void>> scenarios = Map.of(
            "process", Transactions::process, "fencing", Transactions::fencing, "timeout", Transactions::timeout,
            "isolation", Transactions::isolation, "epochs", Transactions::epochs, "empty", Transactions::empty,
            "administration", Transactions::administration, "deletion", Transactions::deletion);
        for (int i = 1; i < args.length; i++) {
            scenario = args[i];
            scenarios.get(scenario).call();
        }
        admin.close();
    }

    static void say(Object seen) {
        System.out.println(scenario + ": " + seen);
    }

    static Properties clientProperties() {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", bootstrap);
        return properties;
    }

    static KafkaProducer<String, String> producer(String transactionalId, int timeoutMs) {
        Properties properties = clientProperties();
        properties.put("transactional.id", transactionalId);
        properties.put("transaction.timeout.ms", timeoutMs);
        properties.put("linger.ms", 0);
        return new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer());
    }

    static KafkaProducer<String, String> producer(String transactionalId) {
        return producer(transactionalId, 60_000);
    }

    static KafkaConsumer<String, String> consumer(String group, String isolation) {
        Properties properties = clientProperties();
        if (group != null) properties.put("group.id", group);
        properties.put("group.protocol", "classic");
        properties.put("isolation.level", isolation);
        properties.put("auto.offset.reset", "earliest");
        properties.put("enable.auto.commit", "false");
        properties.put("max.poll.records", "10");
        return new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer());
    }

    static String newTopic(int partitions) throws Exception {
        String topic = "java-" + scenario + "-" + Long.toHexString(System.nanoTime());
        admin.createTopics(List.of(new NewTopic(topic, partitions, (short) 1))).all().get();
        return topic;
    }

    static String newId() {
        return "java-" + scenario + "-id-" + Long.toHexString(System.nanoTime());
    }

    /** All that is to be seen of a topic with one partition. */
    static List<String> values(String topic, String isolation) throws Exception {
        TopicPartition partition = new TopicPartition(topic, 0);
        List<String> values = new ArrayList<>();
        try (KafkaConsumer<String, String> consumer = consumer(null, isolation)) {
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            long end = consumer.endOffsets(List.of(partition)).get(partition);
            while (consumer.position(partition) < end)
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(200))) values.add(record.value());
        }
        return values;
    }

    static String outcome(Callable<?> action) {
        try {
            action.call();
            return "done";
        } catch (Throwable error) {
            Throwable cause = error;
            while (cause.getCause() != null && cause.getClass().getName().contains("ExecutionException")) cause = cause.getCause();
            return cause.getClass().getSimpleName();
        }
    }

    /** With its records sent first: FINDINGS.md says why. */
    static void commit(KafkaProducer<String, String> producer) {
        producer.flush();
        producer.commitTransaction();
    }

    static TransactionDescription described(String transactionalId) throws Exception {
        return admin.describeTransactions(List.of(transactionalId)).description(transactionalId).get();
    }

    static void await(Callable<Boolean> holds) throws Exception {
        long deadline = System.currentTimeMillis() + 30_000;
        while (!holds.call()) {
            if (System.currentTimeMillis() > deadline) throw new IllegalStateException("waited too long in " + scenario);
            Thread.sleep(50);
        }
    }

    /** Reads, processes and writes with every third transaction aborted and done again. */
    static Void process() throws Exception {
        String source = newTopic(3);
        String sink = newTopic(1);
        String group = newId();
        try (KafkaProducer<String, String> filler = producer(newId())) {
            filler.initTransactions();
            filler.beginTransaction();
            for (int i = 0; i < 200; i++) filler.send(new ProducerRecord<>(source, i % 3, "k", String.valueOf(i)));
            commit(filler);
        }
        int transactions = 0;
        int aborted = 0;
        try (KafkaProducer<String, String> producer = producer(newId()); KafkaConsumer<String, String> consumer = consumer(group, "read_committed")) {
            producer.initTransactions();
            consumer.subscribe(List.of(source));
            int done = 0;
            while (done < 200) {
                ConsumerRecords<String, String> records = consumer.poll(Duration.ofMillis(500));
                if (records.isEmpty()) continue;
                producer.beginTransaction();
                for (ConsumerRecord<String, String> record : records) producer.send(new ProducerRecord<>(sink, "k", record.value()));
                producer.sendOffsetsToTransaction(records.nextOffsets(), consumer.groupMetadata());
                if (++transactions % 3 == 0) {
                    producer.abortTransaction();
                    aborted++;
                    Map<TopicPartition, OffsetAndMetadata> committed = consumer.committed(consumer.assignment());
                    for (TopicPartition partition : consumer.assignment()) {
                        OffsetAndMetadata offset = committed.get(partition);
                        if (offset == null) consumer.seekToBeginning(Set.of(partition));
                        else consumer.seek(partition, offset.offset());
                    }
                } else {
                    commit(producer);
                    done += records.count();
                }
            }
        }
        List<String> committed = values(sink, "read_committed");
        Set<Integer> numbers = new TreeSet<>();
        for (String value : committed) numbers.add(Integer.parseInt(value));
        say("committed " + committed.size() + ", different " + numbers.size());
        say("some were aborted " + (aborted > 0) + ", more uncommitted " + (values(sink, "read_uncommitted").size() > committed.size()));
        long total = 0;
        for (OffsetAndMetadata offset : admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().values()) total += offset.offset();
        say("offsets " + total);
        return null;
    }

    static Void fencing() throws Exception {
        String topic = newTopic(1);
        String id = newId();
        KafkaProducer<String, String> first = producer(id);
        first.initTransactions();
        first.beginTransaction();
        first.send(new ProducerRecord<>(topic, "first")).get();
        KafkaProducer<String, String> second = producer(id);
        second.initTransactions();
        say("send of the fenced " + outcome(() -> first.send(new ProducerRecord<>(topic, "late")).get()));
        say("commit of the fenced " + outcome(() -> { first.commitTransaction(); return null; }));
        second.beginTransaction();
        second.send(new ProducerRecord<>(topic, "second")).get();
        second.commitTransaction();
        first.close(Duration.ZERO);
        second.close();
        KafkaProducer<String, String> third = producer(id);
        third.initTransactions();
        third.beginTransaction();
        third.send(new ProducerRecord<>(topic, "third")).get();
        admin.fenceProducers(List.of(id)).all().get();
        say("commit after fenceProducers " + outcome(() -> { third.commitTransaction(); return null; }));
        third.close(Duration.ZERO);
        say(values(topic, "read_committed"));
        return null;
    }

    static Void timeout() throws Exception {
        String topic = newTopic(1);
        String id = newId();
        KafkaProducer<String, String> slow = producer(id, 1000);
        slow.initTransactions();
        slow.beginTransaction();
        slow.send(new ProducerRecord<>(topic, "slow")).get();
        await(() -> described(id).state().toString().equals("CompleteAbort"));
        say("commit " + outcome(() -> { slow.commitTransaction(); return null; }));
        slow.close(Duration.ZERO);
        say("too long " + outcome(() -> {
            try (KafkaProducer<String, String> patient = producer(newId(), 999_999_999)) { patient.initTransactions(); }
            return null;
        }));
        try (KafkaProducer<String, String> next = producer(id)) {
            next.initTransactions();
            next.beginTransaction();
            next.send(new ProducerRecord<>(topic, "next"));
            commit(next);
        }
        say(values(topic, "read_committed"));
        return null;
    }

    static long latest(String topic, IsolationLevel isolation) throws Exception {
        TopicPartition partition = new TopicPartition(topic, 0);
        return admin.listOffsets(Map.of(partition, OffsetSpec.latest()), new ListOffsetsOptions(isolation)).partitionResult(partition).get().offset();
    }

    static Void isolation() throws Exception {
        String topic = newTopic(1);
        try (KafkaProducer<String, String> one = producer(newId()); KafkaProducer<String, String> two = producer(newId())) {
            one.initTransactions();
            two.initTransactions();
            one.beginTransaction();
            one.send(new ProducerRecord<>(topic, "one")).get();
            two.beginTransaction();
            two.send(new ProducerRecord<>(topic, "two")).get();
            two.commitTransaction();
            await(() -> latest(topic, IsolationLevel.READ_UNCOMMITTED) == 3);
            say("latest " + latest(topic, IsolationLevel.READ_UNCOMMITTED) + ", committed " + latest(topic, IsolationLevel.READ_COMMITTED));
            say(values(topic, "read_uncommitted") + " " + values(topic, "read_committed"));
            one.abortTransaction();
            await(() -> latest(topic, IsolationLevel.READ_COMMITTED) == 4);
            say("latest " + latest(topic, IsolationLevel.READ_UNCOMMITTED) + ", committed " + latest(topic, IsolationLevel.READ_COMMITTED));
            say(values(topic, "read_uncommitted") + " " + values(topic, "read_committed"));
        }
        return null;
    }

    /** With KIP-890 each transaction has an epoch of its own. */
    static Void epochs() throws Exception {
        String topic = newTopic(1);
        String id = newId();
        TopicPartition partition = new TopicPartition(topic, 0);
        try (KafkaProducer<String, String> producer = producer(id)) {
            producer.initTransactions();
            say("begin " + described(id).producerEpoch() + " " + described(id).state());
            for (int i = 0; i < 4; i++) {
                producer.beginTransaction();
                producer.send(new ProducerRecord<>(topic, "v" + i)).get();
                TransactionDescription open = described(id);
                ProducerState state = admin.describeProducers(List.of(partition)).partitionResult(partition).get().activeProducers().get(0);
                say(open.state() + " " + open.producerEpoch() + " " + open.topicPartitions().size() + " in the log " + state.producerEpoch() + " since " + state.currentTransactionStartOffset().getAsLong());
                if (i % 2 == 0) producer.commitTransaction();
                else producer.abortTransaction();
                String ended = i % 2 == 0 ? "CompleteCommit" : "CompleteAbort";
                await(() -> described(id).state().toString().equals(ended));
                say(described(id).state() + " " + described(id).producerEpoch());
            }
        }
        return null;
    }

    static Void empty() throws Exception {
        String id = newId();
        try (KafkaProducer<String, String> producer = producer(id)) {
            producer.initTransactions();
            producer.beginTransaction();
            producer.commitTransaction();
            producer.beginTransaction();
            producer.abortTransaction();
            say(described(id).state() + " " + described(id).producerEpoch());
        }
        return null;
    }

    /** An administrator ends a transaction in one partition, without the coordinator. */
    static Void administration() throws Exception {
        String topic = newTopic(1);
        String id = newId();
        TopicPartition partition = new TopicPartition(topic, 0);
        KafkaProducer<String, String> producer = producer(id);
        producer.initTransactions();
        producer.beginTransaction();
        producer.send(new ProducerRecord<>(topic, "before"));
        commit(producer);
        producer.beginTransaction();
        producer.send(new ProducerRecord<>(topic, "open")).get();
        ProducerState state = admin.describeProducers(List.of(partition)).partitionResult(partition).get().activeProducers().get(0);
        AbortTransactionSpec wrong = new AbortTransactionSpec(partition, state.producerId(), (short) (state.producerEpoch() - 1), -1);
        say("abort with an old epoch " + outcome(() -> admin.abortTransaction(wrong).all().get()));
        AbortTransactionSpec abort = new AbortTransactionSpec(partition, state.producerId(), (short) state.producerEpoch(), state.coordinatorEpoch().orElse(-1));
        say("abort " + outcome(() -> admin.abortTransaction(abort).all().get()));
        ProducerState after = admin.describeProducers(List.of(partition)).partitionResult(partition).get().activeProducers().get(0);
        say("open since " + after.currentTransactionStartOffset() + ", coordinator epoch " + after.coordinatorEpoch());
        say(values(topic, "read_committed"));
        say(admin.listTransactions().all().get().stream().filter(one -> one.transactionalId().equals(id)).map(one -> one.state().toString()).toList());
        producer.abortTransaction();
        producer.close();
        return null;
    }

    /** A topic goes away within a transaction; the transaction ends in the others. */
    static Void deletion() throws Exception {
        String stays = newTopic(1);
        String goes = newTopic(1);
        String id = newId();
        try (KafkaProducer<String, String> producer = producer(id)) {
            producer.initTransactions();
            producer.beginTransaction();
            producer.send(new ProducerRecord<>(stays, "stays")).get();
            producer.send(new ProducerRecord<>(goes, "goes")).get();
            admin.deleteTopics(List.of(goes)).all().get();
            producer.commitTransaction();
            await(() -> described(id).state().toString().equals("CompleteCommit"));
        }
        say(values(stays, "read_committed"));
        return null;
    }
}
