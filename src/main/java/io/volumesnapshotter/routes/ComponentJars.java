package io.volumesnapshotter.routes;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Properties;

/** Which jar brings a component of Camel that the program does not ship. */
final class ComponentJars {

    private static final String LIST = "component-jars.properties";

    private ComponentJars() {}

    /**
     * What is missing, and what would bring it.
     *
     * @param scheme what a URI begins with
     */
    static String whatIsMissing(String scheme) {
        String missing = "the program has no component " + scheme;
        Properties schemes = list();
        return schemes.stringPropertyNames().stream()
                .filter(jar -> List.of(schemes.getProperty(jar).split(",")).contains(scheme))
                .findFirst()
                .map(jar -> missing + "; put " + jar + " and what it needs into the folder ext")
                .orElse(missing);
    }

    private static Properties list() {
        Properties list = new Properties();
        try (InputStream file = ComponentJars.class.getResourceAsStream(LIST)) {
            list.load(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return list;
    }
}
