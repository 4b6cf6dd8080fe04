package io.volumesnapshotter.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.volumesnapshotter.settings.InvalidSettingException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which proxy leads to the API server, by the rules of Go's net/http. */
class HttpProxyTest {

    private static final String HTTPS = "https://api.corp.test:6443";

    @ParameterizedTest(name = "{0} {1}: {2}")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    https://api.corp.test:6443 | ''                                               | ''
                    https://api.corp.test:6443 | HTTPS_PROXY=http://big:3128                      | big:3128
                    https://api.corp.test:6443 | https_proxy=http://small:3128                    | small:3128
                    https://api.corp.test:6443 | https_proxy=http://small:1;HTTPS_PROXY=http://big:2 | big:2
                    https://api.corp.test:6443 | https_proxy=http://small:1;HTTPS_PROXY=          | small:1
                    https://api.corp.test:6443 | HTTPS_PROXY=big:3128                             | big:3128
                    https://api.corp.test:6443 | HTTPS_PROXY=big                                  | big:80
                    https://api.corp.test:6443 | HTTPS_PROXY=http://big                           | big:80
                    https://api.corp.test:6443 | HTTPS_PROXY=HTTP://big:3128/                     | big:3128
                    https://api.corp.test:6443 | HTTPS_PROXY=http://[fd00::3]:3128                | fd00::3:3128
                    https://api.corp.test:6443 | HTTP_PROXY=http://big:3128                       | ''
                    https://api.corp.test:6443 | ALL_PROXY=http://big:3128                        | ''
                    http://api.corp.test:8080  | HTTP_PROXY=http://big:3128                       | big:3128
                    http://api.corp.test:8080  | http_proxy=http://small:3128                     | small:3128
                    http://api.corp.test:8080  | HTTPS_PROXY=http://big:3128                      | ''
                    https://api.corp.test:6443 | HTTPS_PROXY=http://big:3128;NO_PROXY=a, *.corp.test | ''
                    https://api.corp.test:6443 | HTTPS_PROXY=http://big:3128;no_proxy=.corp.test  | ''
                    https://api.corp.test:6443 | HTTPS_PROXY=http://big:3128;NO_PROXY=a;no_proxy=* | big:3128
                    https://api.corp.test      | HTTPS_PROXY=http://big:3128;NO_PROXY=corp.test:443 | ''
                    http://[fd00::1]:8080      | HTTP_PROXY=http://big:3128                       | big:3128
                    https://[fd00::1]:6443     | HTTPS_PROXY=http://big:3128;NO_PROXY=fd00::/8    | ''
                    https://[::1]:6443         | HTTPS_PROXY=http://big:3128                      | ''
                    https://[::1]:6443         | HTTPS_PROXY=socks5://big:1080                    | ''
                    https://localhost:6443     | HTTPS_PROXY=http://big:3128                      | ''
                    """)
    void isTheOneThatGoTakes(String server, String environment, String proxy) {
        Optional<HttpProxy> found =
                HttpProxy.to(URI.create(server), "", "", variables(environment));
        assertThat(found.map(one -> one.host() + ":" + one.port()).orElse("")).isEqualTo(proxy);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    http://jane:secret@big:3128        | jane:secret
                    jane:secret@big:3128               | jane:secret
                    http://jane:s%40c%3Aret+%25@big    | jane:s@c:ret+%
                    http://jane:s@cret@big:3128        | jane:s@cret
                    http://jane@big:3128               | jane:
                    http://jane:@big:3128              | jane:
                    """)
    void isShownTheUserAndPasswordOfItsAddress(String proxy, String shown) {
        assertThat(
                        HttpProxy.to(URI.create(HTTPS), "", "", Map.of("HTTPS_PROXY", proxy))
                                .flatMap(HttpProxy::authorization))
                .contains(
                        "Basic "
                                + Base64.getEncoder()
                                        .encodeToString(shown.getBytes(StandardCharsets.UTF_8)));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    HTTPS_PROXY | socks5://jane:secret@big:1080 | socks5://…@big:1080 | only a proxy that is talked to by plain HTTP
                    https_proxy | socks5h://big:1080      | socks5h://big:1080   | only a proxy that is talked to by plain HTTP
                    HTTPS_PROXY | https://big:3128        | https://big:3128     | only a proxy that is talked to by plain HTTP
                    HTTPS_PROXY | http://                 | http://              | give the proxy's address
                    HTTPS_PROXY | http://big:x            | http://big:x         | give the proxy's address
                    HTTPS_PROXY | http://big:70000        | http://big:70000     | its port is none
                    HTTPS_PROXY | http://big:0            | http://big:0         | its port is none
                    HTTPS_PROXY | http://jane:%zz@big     | http://…@big         | write a % in its user or password as %25
                    HTTPS_PROXY | jane:secret@            | …@                   | give the proxy's address
                    """)
    void oneThatCannotBeTalkedToIsRefusedByTheNameOfItsVariable(
            String variable, String value, String shown, String remedy) {
        assertThatThrownBy(() -> HttpProxy.to(URI.create(HTTPS), "", "", Map.of(variable, value)))
                .isInstanceOf(InvalidSettingException.class)
                .hasMessageStartingWith(variable + ": \"" + shown + "\" is not valid: ")
                .hasMessageContaining(remedy)
                .hasMessageNotContaining("secret");
    }

    @Test
    void oneBeforeAServerThatIsNamedByIPv6IsRefused() {
        assertThatThrownBy(
                        () ->
                                HttpProxy.to(
                                        URI.create("https://[fd00::1]:6443"),
                                        "",
                                        "",
                                        Map.of("https_proxy", "http://big:3128")))
                .hasMessageStartingWith("https_proxy: \"http://big:3128\" is not valid: ")
                .hasMessageContainingAll("[fd00::1]:6443", "NO_PROXY");
    }

    @ParameterizedTest
    @CsvSource({"big:3128,http://", "socks5://big:1080,plain HTTP"})
    void theKubeconfigsGoesBeforeTheEnvironmentsAndIsRefusedByItsPlace(
            String value, String remedy) {
        Map<String, String> environment =
                Map.of("HTTPS_PROXY", "http://other:1", "NO_PROXY", "corp.test");
        assertThat(HttpProxy.to(URI.create(HTTPS), "http://big:3128", "place", environment))
                .map(HttpProxy::host)
                .contains("big");
        assertThatThrownBy(() -> HttpProxy.to(URI.create(HTTPS), value, "place", environment))
                .hasMessageStartingWith("place: \"" + value + "\" is not valid: ")
                .hasMessageContaining(remedy);
    }

    private static Map<String, String> variables(String text) {
        Map<String, String> all = new HashMap<>();
        Arrays.stream(text.split(";"))
                .filter(variable -> !variable.isEmpty())
                .forEach(
                        variable ->
                                all.put(
                                        variable.substring(0, variable.indexOf('=')),
                                        variable.substring(variable.indexOf('=') + 1)));
        return all;
    }
}
