// Kafka's own client logs in to the cluster at $BOOTSTRAP_SERVERS as $NAME with $PASSWORD, by every mechanism; over
// TLS, if there is a certificate to trust: $CA.

import java.util.*;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.acl.*;
import org.apache.kafka.common.errors.*;
import org.apache.kafka.common.resource.*;
import org.apache.kafka.common.serialization.*;

public class SecurityClient {
    static final String CA = System.getenv("CA");

    static Map<String, Object> config(String mechanism, String name, String password) {
        String module = mechanism.equals("PLAIN") ? "plain.PlainLoginModule" : "scram.ScramLoginModule";
        Map<String, Object> all = new HashMap<>();
        all.put("bootstrap.servers", System.getenv("BOOTSTRAP_SERVERS"));
        all.put("security.protocol", CA == null ? "SASL_PLAINTEXT" : "SASL_SSL");
        if (CA != null) {
            all.put("ssl.truststore.type", "PEM");
            all.put("ssl.truststore.location", CA);
        }
        all.put("sasl.mechanism", mechanism);
        all.put("sasl.jaas.config", "org.apache.kafka.common.security." + module + " required username=\""
            + name + "\" password=\"" + password + "\";");
        return all;
    }

    static Map<String, Object> config(String mechanism, String password) {
        return config(mechanism, System.getenv("NAME"), password);
    }

    /** What alice produces; null, or why she may not. */
    static Throwable produce(String topic) throws Exception {
        Map<String, Object> config = config("SCRAM-SHA-256", "alice", System.getenv("ALICE"));
        try (var producer = new KafkaProducer<>(config, new StringSerializer(), new StringSerializer())) {
            producer.send(new ProducerRecord<>(topic, "alice")).get();
            return null;
        } catch (ExecutionException refused) {
            return refused.getCause();
        }
    }

    static void denied(org.apache.kafka.common.KafkaFuture<?> asked) throws Exception {
        try {
            asked.get();
            throw new AssertionError("it was not denied");
        } catch (ExecutionException refused) {
            if (!(refused.getCause() instanceof ClusterAuthorizationException)) throw refused;
        }
    }

    /** Whoever does not know the certificate does not talk to whoever shows it. */
    static void stranger() throws Exception {
        Map<String, Object> config = config("PLAIN", System.getenv("PASSWORD"));
        config.keySet().removeIf(key -> key.startsWith("ssl.truststore"));
        try (Admin admin = Admin.create(config)) {
            admin.describeCluster().clusterId().get();
            throw new AssertionError("a certificate was trusted that nobody vouches for");
        } catch (ExecutionException refused) {
            if (!(refused.getCause() instanceof SslAuthenticationException)) throw refused;
        }
        System.out.println("ok a certificate that is not trusted is refused");
    }

    public static void main(String[] arguments) throws Exception {
        for (String mechanism : List.of("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")) {
            Map<String, Object> config = config(mechanism, System.getenv("PASSWORD"));
            try (var producer = new KafkaProducer<>(config, new StringSerializer(), new StringSerializer())) {
                producer.send(new ProducerRecord<>("java", mechanism)).get();
            }
            String where = CA == null ? "" : " over TLS";
            System.out.println("ok " + mechanism + where);
            try (Admin admin = Admin.create(config(mechanism, "wrong"))) {
                admin.describeCluster().clusterId().get();
                throw new AssertionError("a wrong password was taken");
            } catch (ExecutionException refused) {
                if (!(refused.getCause() instanceof SaslAuthenticationException)) throw refused;
            }
            System.out.println("ok " + mechanism + where + ", a wrong password is refused");
        }
        if (CA != null) {
            stranger();
            return;
        }
        if (!(produce("java") instanceof TopicAuthorizationException)) throw new AssertionError("alice may write");
        try (Admin alice = Admin.create(config("PLAIN", "alice", System.getenv("ALICE")))) {
            denied(alice.describeAcls(AclBindingFilter.ANY).values());
            denied(alice.deleteAcls(List.of(AclBindingFilter.ANY)).all());
            denied(alice.describeMetadataQuorum().quorumInfo());
            System.out.println("ok whoever may not administer ACLs, or look at the quorum, is told so");
        }
        try (Admin admin = Admin.create(config("PLAIN", System.getenv("PASSWORD")))) {
            var pattern = new ResourcePattern(ResourceType.TOPIC, "ja", PatternType.PREFIXED);
            var entry = new AccessControlEntry("User:alice", "*", AclOperation.WRITE, AclPermissionType.ALLOW);
            admin.createAcls(List.of(new AclBinding(pattern, entry))).all().get();
            if (admin.describeAcls(AclBindingFilter.ANY).values().get().size() != 1) throw new AssertionError("one ACL");
            Throwable refused = produce("java");
            if (refused != null) throw new AssertionError("alice may not write", refused);
            System.out.println("ok an ACL allows what was denied");
            if (admin.deleteAcls(List.of(AclBindingFilter.ANY)).all().get().size() != 1) throw new AssertionError("one gone");
            System.out.println("ok ACLs are deleted");
            var info = new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096);
            admin.alterUserScramCredentials(List.of(new UserScramCredentialUpsertion("dave", info, "dave-secret"))).all().get();
            var told = admin.describeUserScramCredentials(List.of("dave")).description("dave").get().credentialInfos();
            if (!told.equals(List.of(info))) throw new AssertionError("described: " + told);
            try (Admin dave = Admin.create(config("SCRAM-SHA-512", "dave", "dave-secret"))) {
                dave.describeCluster().clusterId().get();
            }
            admin.alterUserScramCredentials(List.of(new UserScramCredentialDeletion("dave", ScramMechanism.SCRAM_SHA_512))).all().get();
            if (!admin.describeUserScramCredentials().users().get().isEmpty()) throw new AssertionError("nobody is left");
            System.out.println("ok SCRAM credentials are put, used, described and deleted");
        }
    }
}
