// Kafka's own client, 4.3, against the cluster at $BOOTSTRAP_SERVERS.

import java.time.Duration;
import java.util.*;
import java.util.concurrent.ExecutionException;
import java.util.function.BooleanSupplier;
import java.util.stream.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.*;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.*;

public class JavaClient {
    static final String SERVERS = System.getenv("BOOTSTRAP_SERVERS");
    static Admin admin;

    static void ok(String what) { System.out.println("ok " + what); }

    static void equal(Object got, Object wanted, String what) {
        if (!Objects.equals(got, wanted)) throw new AssertionError(what + ": got " + got + ", not " + wanted);
    }

    static void until(String what, BooleanSupplier test) throws Exception {
        long end = System.currentTimeMillis() + 60_000;
        while (!test.getAsBoolean()) {
            if (System.currentTimeMillis() > end) throw new AssertionError(what + ": not in time");
            Thread.sleep(20);
        }
    }

    static Map<String, Object> config(Object... pairs) {
        Map<String, Object> all = new HashMap<>();
        all.put("bootstrap.servers", SERVERS);
        for (int at = 0; at < pairs.length; at += 2) all.put((String) pairs[at], pairs[at + 1]);
        return all;
    }

    static void create(String name, int partitions) throws Exception {
        admin.createTopics(List.of(new NewTopic(name, partitions, (short) 3))).all().get();
    }

    static KafkaProducer<String, String> producer(Object... pairs) {
        return new KafkaProducer<>(config(pairs), new StringSerializer(), new StringSerializer());
    }

    static KafkaConsumer<String, String> consumer(Object... pairs) {
        return new KafkaConsumer<>(config(pairs), new StringDeserializer(), new StringDeserializer());
    }

    static List<String> strings(int from, int to) {
        return IntStream.range(from, to).mapToObj(String::valueOf).collect(Collectors.toList());
    }

    static List<String> take(KafkaConsumer<String, String> consumer, int count) {
        List<String> values = new ArrayList<>();
        long end = System.currentTimeMillis() + 60_000;
        while (values.size() < count && System.currentTimeMillis() < end) {
            consumer.poll(Duration.ofMillis(100)).forEach(record -> values.add(record.value()));
        }
        equal(values.size(), count, "records in time");
        return values;
    }

    static List<String> read(String topic, int count, Object... pairs) {
        try (KafkaConsumer<String, String> consumer = consumer(pairs)) {
            List<TopicPartition> all = List.of(new TopicPartition(topic, 0));
            consumer.assign(all);
            consumer.seekToBeginning(all);
            return take(consumer, count);
        }
    }

    static List<Integer> sorted(List<String> values) {
        return values.stream().map(Integer::valueOf).sorted().collect(Collectors.toList());
    }

    static void logDirs() throws Exception {
        create("j-sized", 1);
        Set<String> places = new HashSet<>();
        for (int broker = 1; broker <= 3; broker++) {
            Map<String, LogDirDescription> dirs = admin.describeLogDirs(List.of(broker)).allDescriptions().get().get(broker);
            equal(dirs.size(), 1, "log directories of a broker");
            LogDirDescription dir = dirs.values().iterator().next();
            places.addAll(dirs.keySet());
            equal(dir.error(), null, "error of a log directory");
            equal(dir.totalBytes().getAsLong() >= dir.usableBytes().getAsLong() && dir.usableBytes().getAsLong() > 0, true, "room on the disk");
            ReplicaInfo replica = dir.replicaInfos().get(new TopicPartition("j-sized", 0));
            equal(replica.size() + " " + replica.offsetLag() + " " + replica.isFuture(), "0 0 false", "an empty replica");
        }
        equal(places.size(), 3, "places");
        TopicPartitionReplica one = new TopicPartitionReplica("j-sized", 0, 2);
        String place = admin.describeReplicaLogDirs(List.of(one)).all().get().get(one).getCurrentReplicaLogDir();
        equal(places.contains(place), true, "the place of a replica");
        ok("log directories: what each replica takes, and what room there is");
    }

    static void topics() throws Exception {
        CreateTopicsResult made = admin.createTopics(List.of(
            new NewTopic("j-topic", 3, (short) 3).configs(Map.of("retention.ms", "3600000"))));
        equal(made.numPartitions("j-topic").get(), 3, "partitions told");
        equal(made.config("j-topic").get().get("retention.ms").value(), "3600000", "settings told");
        try {
            create("j-topic", 1);
            throw new AssertionError("a topic twice");
        } catch (ExecutionException error) {
            equal(error.getCause().getClass(), TopicExistsException.class, "a topic twice");
        }
        TopicDescription described = admin.describeTopics(List.of("j-topic")).allTopicNames().get().get("j-topic");
        equal(described.partitions().size(), 3, "partitions");
        admin.createPartitions(Map.of("j-topic", NewPartitions.increaseTo(5))).all().get();
        ok("create and describe a topic, and more partitions; not twice");
        ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, "j-topic");
        AlterConfigOp set = new AlterConfigOp(new ConfigEntry("retention.ms", "60000"), AlterConfigOp.OpType.SET);
        admin.incrementalAlterConfigs(Map.of(topic, List.of(set))).all().get();
        until("an altered setting", () -> {
            try {
                Config found = admin.describeConfigs(List.of(topic)).all().get().get(topic);
                return found.get("retention.ms").value().equals("60000")
                    && found.get("retention.ms").source() == ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG;
            } catch (Exception error) { throw new AssertionError(error); }
        });
        ConfigResource broker = new ConfigResource(ConfigResource.Type.BROKER, "2");
        Config found = admin.describeConfigs(List.of(broker)).all().get().get(broker);
        equal(found.get("auto.create.topics.enable").value(), "true", "a broker's setting");
        Collection<ConfigResource> named = admin.listConfigResources(Set.of(ConfigResource.Type.TOPIC), new ListConfigResourcesOptions()).all().get();
        equal(named.contains(topic), true, "the topic among what has settings");
        ok("settings of topics and brokers, and who has some");
        equal(admin.describeCluster().nodes().get().size(), 3, "brokers");
        equal(admin.describeMetadataQuorum().quorumInfo().get().voters().size(), 3, "voters");
        equal(admin.describeFeatures().featureMetadata().get().finalizedFeatures().containsKey("transaction.version"), true, "features");
        ok("the cluster, its quorum and its features are described");
        logDirs();
        admin.deleteTopics(List.of("j-topic")).all().get();
        until("a topic gone", () -> {
            try { return !admin.listTopics().names().get().contains("j-topic"); }
            catch (Exception error) { throw new AssertionError(error); }
        });
        ok("a topic is deleted");
    }

    static void producing() throws Exception {
        create("j-produce", 1);
        List<String> sent = new ArrayList<>();
        for (String acks : List.of("0", "1", "all")) {
            for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
                try (KafkaProducer<String, String> producer = producer("acks", acks, "compression.type", codec,
                        "enable.idempotence", acks.equals("all"))) {
                    for (int number = 0; number < 50; number++) {
                        String value = acks + "-" + codec + "-" + number;
                        producer.send(new ProducerRecord<>("j-produce", value));
                        sent.add(value);
                    }
                }
            }
        }
        equal(read("j-produce", sent.size()), sent, "all codecs");
        ok("acks 0, 1 and all, with every codec");
        try (KafkaProducer<String, String> producer = producer()) {
            ProducerRecord<String, String> record = new ProducerRecord<>("j-auto", "key", "made on the side");
            record.headers().add(new RecordHeader("n", "1".getBytes()));
            equal(producer.send(record).get().offset(), 0L, "offset told");
        }
        try (KafkaConsumer<String, String> consumer = consumer()) {
            TopicPartition only = new TopicPartition("j-auto", 0);
            consumer.assign(List.of(only));
            consumer.seekToBeginning(List.of(only));
            ConsumerRecord<String, String> record = null;
            for (int tries = 0; record == null && tries < 100; tries++) {
                for (ConsumerRecord<String, String> it : consumer.poll(Duration.ofMillis(100))) record = it;
            }
            equal(record.key() + new String(record.headers().lastHeader("n").value()), "key1", "key and header");
        }
        ok("a topic is made when it is written to; keys and headers");
    }

    static void offsets() throws Exception {
        create("j-offsets", 1);
        try (KafkaProducer<String, String> producer = producer()) {
            for (int n = 0; n < 10; n++) producer.send(new ProducerRecord<>("j-offsets", 0, 1000L * (n % 7), null, "" + n));
        }
        TopicPartition only = new TopicPartition("j-offsets", 0);
        Map<OffsetSpec, Long> wanted = Map.of(OffsetSpec.earliest(), 0L, OffsetSpec.latest(), 10L,
            OffsetSpec.maxTimestamp(), 6L, OffsetSpec.forTimestamp(2500), 3L);
        for (Map.Entry<OffsetSpec, Long> one : wanted.entrySet()) {
            long found = admin.listOffsets(Map.of(only, one.getKey())).partitionResult(only).get().offset();
            equal(found, one.getValue(), one.getKey().getClass().getSimpleName());
        }
        admin.deleteRecords(Map.of(only, RecordsToDelete.beforeOffset(4))).all().get();
        equal(read("j-offsets", 6), strings(4, 10), "from the new beginning");
        ok("offsets: earliest, latest, by time, of the newest; records are deleted");
    }

    static void groups(String protocol) throws Exception {
        String topic = "j-" + protocol;
        create(topic, 4);
        try (KafkaProducer<String, String> producer = producer()) {
            for (String value : strings(0, 100)) producer.send(new ProducerRecord<>(topic, value, value));
            Object[] config = {"group.id", topic, "group.protocol", protocol, "auto.offset.reset", "earliest", "enable.auto.commit", "false"};
            KafkaConsumer<String, String> first = consumer(config), second = consumer(config);
            first.subscribe(List.of(topic));
            equal(sorted(take(first, 100)), sorted(strings(0, 100)), "all of it");
            first.commitSync();
            second.subscribe(List.of(topic));
            until("shared", () -> {
                equal(first.poll(Duration.ofMillis(50)).count() + second.poll(Duration.ofMillis(50)).count(), 0, "nothing new");
                return first.assignment().size() == 2 && second.assignment().size() == 2;
            });
            ok(protocol + ": a second member gets half of the partitions, and nothing is read twice");
            ConsumerGroupDescription described = admin.describeConsumerGroups(List.of(topic)).all().get().get(topic);
            equal(described.groupState() + " " + described.members().size(), "Stable 2", "described");
            equal(admin.listGroups().all().get().stream().anyMatch(it -> it.groupId().equals(topic)), true, "listed");
            second.close();
            until("all partitions back", () -> {
                first.poll(Duration.ofMillis(50));
                return first.assignment().size() == 4;
            });
            first.close();
            for (String value : strings(100, 120)) producer.send(new ProducerRecord<>(topic, value, value));
            KafkaConsumer<String, String> third = consumer(config);
            third.subscribe(List.of(topic));
            equal(sorted(take(third, 20)), sorted(strings(100, 120)), "resumed");
            third.commitSync();
            third.close();
        }
        long sum = admin.listConsumerGroupOffsets(topic).partitionsToOffsetAndMetadata().get()
            .values().stream().mapToLong(OffsetAndMetadata::offset).sum();
        equal(sum, 120L, "committed offsets");
        admin.deleteConsumerGroups(List.of(topic)).all().get();
        ok(protocol + ": it leaves, another one goes on where it was committed; described, listed, deleted");
    }

    static void transactions() throws Exception {
        create("j-txn", 1);
        create("j-out", 1);
        try (KafkaProducer<String, String> producer = producer("transactional.id", "j-1")) {
            producer.initTransactions();
            for (String outcome : List.of("commit", "abort", "commit")) {
                producer.beginTransaction();
                for (int n = 0; n < 3; n++) producer.send(new ProducerRecord<>("j-txn", outcome + n));
                producer.flush();
                if (outcome.equals("commit")) producer.commitTransaction(); else producer.abortTransaction();
            }
            List<String> wanted = List.of("commit0", "commit1", "commit2", "commit0", "commit1", "commit2");
            equal(read("j-txn", 6, "isolation.level", "read_committed"), wanted, "read committed");
            equal(read("j-txn", 9).size(), 9, "read uncommitted");
            ok("transactions: committed, aborted, and how they are read");
            TopicPartition written = new TopicPartition("j-txn", 0);
            producer.beginTransaction();
            long first = producer.send(new ProducerRecord<>("j-txn", "open")).get().offset();
            ProducerState open = admin.describeProducers(List.of(written)).partitionResult(written).get().activeProducers().get(0);
            equal(open.currentTransactionStartOffset(), OptionalLong.of(first), "where the transaction began");
            TransactionDescription told = admin.describeTransactions(List.of("j-1")).description("j-1").get();
            equal(told.state() + " " + told.topicPartitions(), TransactionState.ONGOING + " " + Set.of(written), "described");
            equal(told.producerId(), open.producerId(), "its producer");
            equal(admin.listTransactions().all().get().stream().map(TransactionListing::transactionalId).toList(), List.of("j-1"), "listed");
            producer.abortTransaction();
            ok("an open transaction is found by its id and by its producer");
            KafkaConsumer<String, String> consumer = consumer("group.id", "j-eos", "auto.offset.reset", "earliest",
                "enable.auto.commit", "false", "isolation.level", "read_committed");
            consumer.subscribe(List.of("j-txn"));
            List<String> batch = take(consumer, 6);
            producer.beginTransaction();
            batch.forEach(value -> producer.send(new ProducerRecord<>("j-out", value)));
            TopicPartition only = new TopicPartition("j-txn", 0);
            producer.sendOffsetsToTransaction(Map.of(only, new OffsetAndMetadata(11)), consumer.groupMetadata());
            producer.commitTransaction();
            equal(consumer.committed(Set.of(only)).get(only).offset(), 11L, "committed within");
            consumer.close();
            equal(read("j-out", 6, "isolation.level", "read_committed"), batch, "copied");
            try (KafkaProducer<String, String> heir = producer("transactional.id", "j-1")) {
                heir.initTransactions();
                try {
                    producer.beginTransaction();
                    producer.send(new ProducerRecord<>("j-out", "from beyond"));
                    producer.commitTransaction();
                    throw new AssertionError("a zombie committed");
                } catch (ProducerFencedException | InvalidProducerEpochException expected) {
                    ok("consume, transform, produce in one transaction; a zombie is fenced");
                }
            }
        }
    }

    public static void main(String[] arguments) throws Exception {
        admin = Admin.create(config());
        topics();
        producing();
        offsets();
        groups("classic");
        groups("consumer");
        transactions();
        admin.close();
    }
}
