package io.volumesnapshotter.observe;

import io.volumesnapshotter.kubernetes.ErrorText;
import io.volumesnapshotter.settings.InvalidSettingException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.camel.CamelContext;
import org.apache.camel.main.BaseMainSupport;
import org.apache.camel.main.MainListenerSupport;

/**
 * Looks whether the management server can work before Camel starts it: Camel would pass over a port
 * that is none, go on without the server, or end with nothing but a path.
 */
public final class ManagementCheck extends MainListenerSupport {

    private static final int MAX_PORT = 65_535;
    private static final String PREFIX = "camel.management.";

    /**
     * {@inheritDoc}
     *
     * @throws InvalidSettingException when it cannot
     */
    @Override
    public void beforeConfigure(BaseMainSupport main) {
        CamelContext context = main.getCamelContext();
        if (setting(context, "enabled").equals("true")) {
            checkUsers(context, setting(context, "basic-properties-file"));
            checkPort(setting(context, "host"), setting(context, "port"));
        }
    }

    private static String setting(CamelContext context, String name) {
        return context.getPropertiesComponent().resolveProperty(PREFIX + name).orElse("");
    }

    private static void checkUsers(CamelContext context, String file) {
        if (!file.isEmpty()
                && !Files.isReadable(Path.of(file))
                && context.getClassResolver().loadResourceAsURL(file) == null) {
            throw new InvalidSettingException(
                    "CAMEL_MANAGEMENT_BASIC_PROPERTIES_FILE",
                    file,
                    "there is no such readable file; it holds Jolokia's users and their passwords,"
                            + " and without the variable there are none");
        }
    }

    private static void checkPort(String host, String text) {
        int port = text.matches("\\d{1,5}") ? Integer.parseInt(text) : -1;
        if (port < 0 || port > MAX_PORT) {
            throw new InvalidSettingException(
                    PREFIX + "port", text, "give a port from 1 to 65535, or 0 for any");
        }
        try {
            InetAddress address = host.isEmpty() ? null : InetAddress.getByName(host);
            new ServerSocket(port, 0, address).close();
        } catch (IOException e) {
            throw new InvalidSettingException(
                    PREFIX + "port",
                    text,
                    "the program cannot listen there ("
                            + ErrorText.rootWords(e)
                            + "): stop what does, or give another port, as"
                            + " JAVA_OPTS=-Dcamel.management.port=9877");
        }
    }
}
