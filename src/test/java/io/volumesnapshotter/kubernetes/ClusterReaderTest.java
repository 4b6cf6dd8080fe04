package io.volumesnapshotter.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.core.JacksonException;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.volumesnapshotter.settings.OneLine;
import io.volumesnapshotter.testing.ListServer;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ClusterReaderTest {

    private static final String PAGE =
            "{'kind':'PersistentVolumeClaimList','metadata':%s,'items':%s}";

    private static final String EXPIRED =
            "{'kind':'Status','status':'Failure','reason':'Expired','code':410,'message':'too old'}";

    private static final List<String> FIELDS =
            List.of(
                    ApiObject.NAME,
                    ApiObject.annotation("a/b~c"),
                    "/status/error",
                    "/status/error/message",
                    "/status/ready",
                    "/status/size");

    private final CountDownLatch end = new CountDownLatch(1);
    private ListServer server;
    private KubernetesClient client;

    @AfterEach
    void close() {
        end.countDown();
        client.close();
        server.close();
    }

    private ClusterReader reader(Duration limit, ListServer.Answer answer) {
        server = new ListServer(answer);
        Config config =
                new ConfigBuilder(Config.empty())
                        .withMasterUrl(server.url())
                        .withNamespace("apps")
                        .build();
        client = ClusterAccess.connect(config, limit);
        return new ClusterReader(client);
    }

    private ClusterReader reader(ListServer.Answer answer) {
        return reader(Duration.ofSeconds(30), answer);
    }

    private ClusterReader answering(int code, String text) {
        return reader((exchange, query) -> ListServer.send(exchange, code, json(text)));
    }

    private static String json(String text) {
        return text.replace('\'', '"');
    }

    private static List<ApiObject> list(ClusterReader reader) {
        return reader.list(
                CoreApi.CLAIMS, Optional.of("apps"), "app in (a,b)", 2, FIELDS, Optional::of);
    }

    @Test
    void keepsTheFieldsThatAreAskedForAndNothingElse() {
        String item =
                "{'metadata':{'name':'data','labels':{'name':'no'},'annotations':{'a/b~c':'yes',"
                        + "'other':'no'},'managedFields':[{'name':'no','f':{'name':'no'}}]},"
                        + "'status':{'ready':true,'size':17,'error':{'message':'slow','time':'no'},"
                        + "'message':'no'},'name':'no'}";
        assertThat(list(answering(200, PAGE.formatted("{}", "[" + item + "]"))))
                .extracting(ApiObject::fields)
                .containsExactly(
                        Map.of(
                                ApiObject.NAME,
                                "data",
                                ApiObject.annotation("a/b~c"),
                                "yes",
                                "/status/error",
                                true,
                                "/status/error/message",
                                "slow",
                                "/status/ready",
                                true,
                                "/status/size",
                                "17"));
    }

    @Test
    void whatIsNullIsNotThere() {
        ApiObject item =
                list(answering(
                                200,
                                PAGE.formatted(
                                        "{}", "[{'metadata':null,'status':{'error':null}}]")))
                        .get(0);
        assertThat(item.fields()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"[]", "null"})
    void anEmptyListIsOne(String items) {
        assertThat(list(answering(200, PAGE.formatted("{'resourceVersion':'1'}", items))))
                .isEmpty();
    }

    @Test
    void textsAreCutAndCleaned() {
        String text = "\\u001b[31mred\\nand " + "x".repeat(200_000);
        String item = "[{'status':{'error':{'message':'" + text + "'}}}]";
        String read =
                list(answering(200, PAGE.formatted("{}", item)))
                        .get(0)
                        .text("/status/error/message");
        assertThat(read).startsWith("[31mred and xxx").endsWith("x…").hasSize(OneLine.MAX);
    }

    @Test
    void readsPageAfterPageWithTheSelectorAndTheToken() {
        ClusterReader reader =
                reader(
                        (exchange, query) ->
                                ListServer.send(
                                        exchange,
                                        200,
                                        json(
                                                PAGE.formatted(
                                                        query.contains("continue")
                                                                ? "{}"
                                                                : "{'continue':'a+b=&c'}",
                                                        "[{'metadata':{'name':'x'}}]"))));
        assertThat(list(reader)).hasSize(2);
        assertThat(server.queries())
                .containsExactly(
                        "limit=2&labelSelector=app in (a,b)".replace(' ', '+'),
                        "limit=2&labelSelector=app in (a,b)&continue=a+b=&c".replace(' ', '+'));
    }

    @Test
    void pagesThatAreTooOldBeginAnew() {
        AtomicInteger requests = new AtomicInteger();
        ClusterReader reader =
                reader(
                        (exchange, query) -> {
                            int number = requests.incrementAndGet();
                            if (number == 2) {
                                ListServer.send(exchange, 410, json(EXPIRED));
                                return;
                            }
                            String item = "[{'metadata':{'name':'of-%d'}}]".formatted(number);
                            ListServer.send(
                                    exchange,
                                    200,
                                    json(
                                            PAGE.formatted(
                                                    query.contains("continue")
                                                            ? "{}"
                                                            : "{'continue':'more'}",
                                                    item)));
                        });
        assertThat(list(reader))
                .extracting(item -> item.text(ApiObject.NAME))
                .containsExactly("of-3", "of-4");
    }

    @Test
    void pagesThatAreAlwaysTooOldEndTheList() {
        ClusterReader reader =
                reader(
                        (exchange, query) ->
                                ListServer.send(
                                        exchange,
                                        query.contains("continue") ? 410 : 200,
                                        json(
                                                query.contains("continue")
                                                        ? EXPIRED
                                                        : PAGE.formatted(
                                                                "{'continue':'more'}", "[]"))));
        assertThat(failure(reader).getCode()).isEqualTo(410);
        assertThat(server.queries()).hasSize(8);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "[]",
                "'PersistentVolumeClaimList'",
                "{'kind':'Pod','metadata':{'name':'web'}}",
                "{'kind':'PodList','metadata':{},'items':[{'metadata':{'name':'web'}}]}",
                "{'kind':'PersistentVolumeClaimList'}",
                "{'kind':'PersistentVolumeClaimList','items':[]}"
            })
    void aListOfSomethingElseIsNotAnEmptyList(String text) {
        assertThatThrownBy(() -> list(answering(200, text)))
                .isInstanceOf(KubernetesClientException.class)
                .hasMessageContaining("instead of PersistentVolumeClaimList");
    }

    @ParameterizedTest
    @ValueSource(strings = {"<html>", "{'kind':'PersistentVolumeClaimList','items':[{'meta"})
    void whatIsNoJsonIsNoAnswer(String text) {
        KubernetesClientException failure = failure(answering(200, text));
        assertThat(failure.getCode()).isNotPositive();
        assertThat(failure).hasCauseInstanceOf(JacksonException.class);
    }

    @Test
    void anErrorHasTheServersStatus() {
        KubernetesClientException failure =
                failure(
                        answering(
                                403,
                                "{'kind':'Status','reason':'Forbidden','message':'User cannot list',"
                                        + "'details':{'causes':[{'reason':'NamespaceTerminating'}]}}"));
        assertThat(failure.getCode()).isEqualTo(403);
        assertThat(ErrorText.words(failure)).isEqualTo("User cannot list");
        assertThat(ApiErrors.isTerminatingNamespace(failure)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"404 page not found", "", "<html>", "{}", "null"})
    void anErrorThatIsNoStatusIsToldByItsCode(String text) {
        KubernetesClientException failure = failure(answering(404, text));
        assertThat(failure.getCode()).isEqualTo(404);
        assertThat(ErrorText.words(failure)).isEqualTo("Not Found");
    }

    @Test
    void aServerThatFallsSilentInTheMiddleIsLate() {
        KubernetesClientException failure =
                failure(
                        reader(
                                Duration.ofMillis(500),
                                (exchange, query) -> {
                                    exchange.sendResponseHeaders(200, 0);
                                    exchange.getResponseBody().write(json("{'items':[").getBytes());
                                    exchange.getResponseBody().flush();
                                    await(end);
                                }));
        assertThat(ErrorText.isLate(failure)).isTrue();
        assertThat(failure).hasMessageContaining("Operation: [list]");
    }

    @Test
    void aConnectionThatIsCutIsAnOutage() {
        KubernetesClientException failure =
                failure(
                        reader(
                                (exchange, query) -> {
                                    exchange.sendResponseHeaders(200, 1_000);
                                    exchange.getResponseBody().write(json("{'items':[").getBytes());
                                    exchange.getResponseBody().flush();
                                }));
        assertThat(ApiErrors.isOutage(failure)).isTrue();
        assertThat(Causes.has(IOException.class, failure)).isTrue();
        assertThat(Causes.has(JacksonException.class, failure)).isFalse();
    }

    @Test
    void oneObjectIsReadInTheSameWay() {
        ClusterReader reader =
                reader(
                        (exchange, query) ->
                                ListServer.send(
                                        exchange,
                                        exchange.getRequestURI().getPath().endsWith("/data")
                                                ? 200
                                                : 404,
                                        json(
                                                "{'kind':'PersistentVolumeClaim','metadata':"
                                                        + "{'name':'data'}}")));
        Optional<String> apps = Optional.of("apps");
        assertThat(reader.get(CoreApi.CLAIMS, apps, "data", FIELDS))
                .map(found -> found.text(ApiObject.NAME))
                .contains("data");
        assertThat(reader.get(CoreApi.CLAIMS, apps, "none", FIELDS)).isEmpty();
    }

    @Test
    void theConnectionServesTheNextRequest() {
        List<Integer> ports = new CopyOnWriteArrayList<>();
        ClusterReader reader =
                reader(
                        (exchange, query) -> {
                            ports.add(exchange.getRemoteAddress().getPort());
                            ListServer.send(exchange, 200, json(PAGE.formatted("{}", "[]")) + "\n");
                        });
        for (int i = 0; i < 5; i++) {
            list(reader);
        }
        assertThat(ports).hasSize(5).containsOnly(ports.get(0));
    }

    private static KubernetesClientException failure(ClusterReader reader) {
        return catchThrowableOfType(KubernetesClientException.class, () -> list(reader));
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
