import java.util.Map;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;

/** A hawtio console for whoever sits at this machine: http://localhost:10001/actuator/hawtio */
@SpringBootConfiguration(proxyBeanMethods = false)
@EnableAutoConfiguration
public class Console {

    public static void main(String[] args) {
        // Off by default, and with it the page on which one connects.
        System.setProperty("hawtio.disableProxy", "false");
        System.setProperty("hawtio.proxyAllowlist", "localhost,127.0.0.1");
        SpringApplication console = new SpringApplication(Console.class);
        console.setDefaultProperties(
                Map.of(
                        "server.address", "127.0.0.1",
                        "server.port", "10001",
                        "management.endpoints.web.exposure.include", "hawtio,jolokia",
                        "spring.jmx.enabled", "true",
                        "hawtio.authenticationEnabled", "false"));
        console.run(args);
    }
}
