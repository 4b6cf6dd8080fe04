package io.volumesnapshotter.observe;

import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.MIMEHeader;
import io.vertx.ext.web.RoutingContext;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import org.apache.camel.component.micrometer.MicrometerConstants;
import org.apache.camel.component.micrometer.prometheus.MicrometerPrometheus;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpRouter;

/**
 * Camel's page of metrics, answered in the format that is asked for. Camel offers one only, with
 * its character set, and refuses whoever names it without: 406 to {@code text/plain;version=0.0.4}.
 * Formats are chosen as Prometheus' own client for Java does it, which refuses nobody, but a format
 * that is wanted less, or not at all, does not come before one that is wanted more.
 */
public final class NegotiatedMetrics extends MicrometerPrometheus {

    private static final String TEXT = "text/plain; version=0.0.4; charset=utf-8";

    /** Formats that come only when they are asked for by name. */
    private static final List<String> OTHERS =
            List.of(
                    "application/openmetrics-text; version=1.0.0; charset=utf-8",
                    "application/vnd.google.protobuf;"
                            + " proto=io.prometheus.client.MetricFamily; encoding=delimited");

    @Override
    protected void setupHttpScraper(VertxPlatformHttpRouter router) {
        router.route(HttpMethod.GET, getPath()).blockingHandler(this::answer, false);
    }

    private void answer(RoutingContext context) {
        String format = format(context.parsedHeaders().accept());
        ByteArrayOutputStream page = new ByteArrayOutputStream();
        try {
            getCamelContext()
                    .getRegistry()
                    .lookupByNameAndType(
                            MicrometerConstants.METRICS_REGISTRY_NAME,
                            PrometheusMeterRegistry.class)
                    .scrape(page, format);
        } catch (IOException e) {
            context.fail(e);
            return;
        }
        context.response()
                .putHeader(HttpHeaders.CONTENT_TYPE, format)
                .end(Buffer.buffer(page.toByteArray()));
    }

    /**
     * The format to answer in.
     *
     * @param accepted what is asked for, the most wanted first
     */
    private static String format(List<MIMEHeader> accepted) {
        return accepted.stream()
                .filter(type -> type.weight() > 0)
                .flatMap(type -> format(type).stream())
                .findFirst()
                .orElse(TEXT);
    }

    private static List<String> format(MIMEHeader type) {
        String name = type.component() + "/" + type.subComponent();
        if (List.of("text/plain", "text/*", "*/*").contains(name)) {
            return List.of(TEXT);
        }
        return OTHERS.stream().filter(format -> format.startsWith(name + ";")).toList();
    }
}
