package io.volumesnapshotter.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import io.volumesnapshotter.settings.ScheduleSettings;
import io.volumesnapshotter.settings.Setting;
import java.io.IOException;
import java.time.Instant;
import java.util.Map;
import org.apache.camel.catalog.CamelCatalog;
import org.apache.camel.catalog.DefaultCamelCatalog;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tools that go by Camel's catalogue know {@code policy:} and its parameters. */
class PolicyCatalogueTest {

    private final ScheduleRegistry registry = new ScheduleRegistry(Instant::now, Instant::now);
    private final CamelCatalog catalogue = new DefaultCamelCatalog();

    @BeforeEach
    void addWhatCamelFinds() throws IOException {
        try (DefaultCamelContext context = new DefaultCamelContext()) {
            context.addComponent(
                    "policy", new PolicyComponent(PolicyComponent.Kind.POLICY, registry));
            catalogue.addComponent(
                    "policy",
                    PolicyComponent.class.getName(),
                    context.getComponentParameterJsonSchema("policy"));
        }
    }

    @Test
    void aStepIsTakenApart() throws Exception {
        assertThat(catalogue.endpointProperties("policy:nightly?keep-last=7&claims=data"))
                .isEqualTo(Map.of("schedule", "nightly", "keep-last", "7", "claims", "data"));
    }

    @Test
    void eachSettingIsAParameterWithItsSentence() {
        for (Setting<?> setting : ScheduleSettings.all()) {
            assertThat(catalogue.componentModel("policy").getEndpointParameterOptions())
                    .filteredOn(option -> option.getName().equals(setting.name()))
                    .singleElement()
                    .satisfies(
                            option ->
                                    assertThat(option.getDescription())
                                            .isEqualTo(setting.sentence()));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "keep-last=7, ''",
        "suspend=true&poll-interval=10s, ''",
        "keep-lst=7, keep-lst",
        "keep-last=some, keep-last",
        "suspend=perhaps, suspend"
    })
    void whatIsWrongIsSeenBeforeItIsDeployed(String parameters, String wrong) {
        String text =
                catalogue
                        .validateEndpointProperties("policy:nightly?" + parameters)
                        .summaryErrorMessage(false);
        if (wrong.isEmpty()) {
            assertThat(text).isNull();
        } else {
            assertThat(text).contains(wrong);
        }
    }
}
