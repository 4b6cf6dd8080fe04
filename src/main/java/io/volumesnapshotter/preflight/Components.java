package io.volumesnapshotter.preflight;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URL;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Properties;
import java.util.TreeSet;
import java.util.regex.Pattern;

/** Which components of Camel routes may name: each jar that brings some lists them. */
public final class Components {

    private static final String LIST = "META-INF/services/org/apache/camel/component.properties";
    private static final Pattern ADDED = Pattern.compile("/ext/[^/]+\\.jar!");

    private Components() {}

    /** What is there, and what of it comes from the folder {@code ext}. */
    public static Finding look() {
        return look(Components.class.getClassLoader());
    }

    static Finding look(ClassLoader classes) {
        Collection<String> all = new TreeSet<>(List.of("policy"));
        Collection<String> added = new TreeSet<>();
        try {
            for (URL list : Collections.list(classes.getResources(LIST))) {
                (ADDED.matcher(list.toString()).find() ? added : all).addAll(read(list));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        added.removeAll(all);
        String words = String.join(", ", all);
        return Finding.info(
                "components",
                added.isEmpty() ? words : words + "; of ext: " + String.join(", ", added),
                "");
    }

    private static List<String> read(URL list) throws IOException {
        Properties properties = new Properties();
        try (InputStream stream = list.openStream()) {
            properties.load(stream);
        }
        return List.of(properties.getProperty("components", "").trim().split("\\s+"));
    }
}
