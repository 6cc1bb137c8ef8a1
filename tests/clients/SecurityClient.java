// Kafka's own client logs in to the cluster at $BOOTSTRAP_SERVERS as $NAME with $PASSWORD, by every mechanism.

import java.util.*;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.acl.*;
import org.apache.kafka.common.errors.*;
import org.apache.kafka.common.resource.*;
import org.apache.kafka.common.serialization.*;

public class SecurityClient {
    static Map<String, Object> config(String mechanism, String name, String password) {
        String module = mechanism.equals("PLAIN") ? "plain.PlainLoginModule" : "scram.ScramLoginModule";
        Map<String, Object> all = new HashMap<>();
        all.put("bootstrap.servers", System.getenv("BOOTSTRAP_SERVERS"));
        all.put("security.protocol", "SASL_PLAINTEXT");
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

    public static void main(String[] arguments) throws Exception {
        for (String mechanism : List.of("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")) {
            Map<String, Object> config = config(mechanism, System.getenv("PASSWORD"));
            try (var producer = new KafkaProducer<>(config, new StringSerializer(), new StringSerializer())) {
                producer.send(new ProducerRecord<>("java", mechanism)).get();
            }
            System.out.println("ok " + mechanism);
            try (Admin admin = Admin.create(config(mechanism, "wrong"))) {
                admin.describeCluster().clusterId().get();
                throw new AssertionError("a wrong password was taken");
            } catch (ExecutionException refused) {
                if (!(refused.getCause() instanceof SaslAuthenticationException)) throw refused;
            }
            System.out.println("ok " + mechanism + ", a wrong password is refused");
        }
        if (!(produce("java") instanceof TopicAuthorizationException)) throw new AssertionError("alice may write");
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
        }
    }
}
