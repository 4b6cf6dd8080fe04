package io.volumesnapshotter.observe;

import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.micrometer.core.instrument.config.MeterFilter;
import io.micrometer.core.instrument.config.NamingConvention;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.prometheus.metrics.core.metrics.Info;
import java.util.Locale;
import java.util.Optional;
import org.apache.camel.CamelContext;
import org.apache.camel.component.micrometer.MicrometerConstants;

/**
 * The page that Prometheus reads. Camel makes it when metrics are on, and its own metrics are on it
 * beside the program's; here they get labels and help texts as Prometheus wants them.
 */
public final class PrometheusPage {

    private PrometheusPage() {}

    /** Where metrics are kept; nowhere when they are off. */
    public static MeterRegistry of(CamelContext context) {
        Optional<PrometheusMeterRegistry> page = find(context);
        page.ifPresent(
                registry ->
                        registry.config()
                                .namingConvention(
                                        new SnakeCase(registry.config().namingConvention()))
                                .meterFilter(new Described()));
        return page.<MeterRegistry>map(registry -> registry).orElseGet(CompositeMeterRegistry::new);
    }

    private static Optional<PrometheusMeterRegistry> find(CamelContext context) {
        return Optional.ofNullable(
                context.getRegistry()
                        .lookupByNameAndType(
                                MicrometerConstants.METRICS_REGISTRY_NAME,
                                PrometheusMeterRegistry.class));
    }

    /** Shows the program's version. Micrometer has no such thing. */
    public static void showBuild(CamelContext context) {
        String version = PrometheusPage.class.getPackage().getImplementationVersion();
        find(context)
                .ifPresent(
                        page ->
                                Info.builder()
                                        .name(Metrics.PREFIX + "build_info")
                                        .help("The program.")
                                        .labelNames("version")
                                        .register(page.getPrometheusRegistry())
                                        .addLabelValues(version == null ? "unpackaged" : version));
    }

    /** Prometheus's names, with Camel's labels written as {@code route_id}, not {@code routeId}. */
    private record SnakeCase(NamingConvention names) implements NamingConvention {

        @Override
        public String name(String name, Meter.Type type, String baseUnit) {
            return names.name(name, type, baseUnit);
        }

        @Override
        public String tagKey(String key) {
            return names.tagKey(key.replaceAll("(?<=[a-z0-9])(?=[A-Z])", "_"))
                    .toLowerCase(Locale.ROOT);
        }
    }

    /** Gives each metric a help text. */
    private static final class Described implements MeterFilter {

        @Override
        public Meter.Id map(Meter.Id id) {
            if (id.getDescription() != null && !id.getDescription().isBlank()) {
                return id;
            }
            return new Meter.Id(
                    id.getName(),
                    Tags.of(id.getTags()),
                    id.getBaseUnit(),
                    "Apache Camel's " + id.getName() + ".",
                    id.getType());
        }
    }
}
