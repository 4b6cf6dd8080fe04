package io.volumesnapshotter.routes;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.InputStream;
import java.util.Arrays;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import org.apache.camel.catalog.CamelCatalog;
import org.apache.camel.catalog.DefaultCamelCatalog;
import org.apache.camel.tooling.model.ComponentModel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ComponentJarsTest {

    @ParameterizedTest
    @CsvSource({
        "slack, camel-slack",
        "kafka, camel-kafka",
        "smtps, camel-mail",
        "aws2-s3, camel-aws2-s3",
        "jdbc, camel-jdbc",
    })
    void theJarThatBringsAComponentIsNamed(String scheme, String jar) {
        assertThat(ComponentJars.whatIsMissing(scheme))
                .isEqualTo(
                        "the program has no component %s; put %s and what it needs into the folder"
                                        .formatted(scheme, jar)
                                + " ext");
    }

    @Test
    void noJarBringsAComponentThatCamelDoesNotHave() {
        assertThat(ComponentJars.whatIsMissing("drect"))
                .isEqualTo("the program has no component drect");
    }

    @Test
    void theListIsThatOfCamelsCatalog() throws Exception {
        Map<String, String> expected = new TreeMap<>();
        CamelCatalog catalog = new DefaultCamelCatalog();
        for (String name : catalog.findComponentNames()) {
            ComponentModel component = catalog.componentModel(name);
            expected.put(component.getScheme(), component.getArtifactId());
        }

        Properties list = new Properties();
        try (InputStream file =
                ComponentJars.class.getResourceAsStream("component-jars.properties")) {
            list.load(file);
        }
        Map<String, String> listed = new TreeMap<>();
        list.forEach(
                (jar, schemes) ->
                        Arrays.stream(schemes.toString().split(","))
                                .forEach(scheme -> listed.put(scheme, jar.toString())));
        assertThat(listed).isEqualTo(expected);
    }
}
