package io.volumesnapshotter.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/**
 * Each row of the page on cluster access: what the server sees of the program, and, where kubectl
 * is at hand, that it sees the same of kubectl.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ClusterAccessPageTest {

    private static final Path PAGE = Path.of("docs", "cluster-access.md");
    private static final Pattern ROW =
            Pattern.compile("(?m)^\\| (`[^|]+`) \\| (supported|refused|not read) \\|");
    private static final Pattern NAME = Pattern.compile("`([^`]+)`");

    private static final String TOKEN = "token: secret";

    private Path directory;

    private AccessLab lab;
    private final Map<String, Executable> rows = new LinkedHashMap<>();
    private final List<String> refused = new ArrayList<>();
    private final List<String> unread = new ArrayList<>();

    @BeforeAll
    void open(@TempDir Path directory) throws Exception {
        this.directory = directory;
        lab = new AccessLab(directory);
        lab.clientCertificate("rsa", "RSA");
        rows();
    }

    @AfterAll
    void close() {
        lab.close();
    }

    @TestFactory
    Stream<DynamicTest> aRowIsTrue() {
        return rows.entrySet().stream()
                .map(row -> DynamicTest.dynamicTest(row.getKey(), row.getValue()));
    }

    @Test
    void thePageHasTheseRowsAndNoOthers() throws IOException {
        Map<String, String> documented = new HashMap<>();
        ROW.matcher(Files.readString(PAGE))
                .results()
                .forEach(
                        row ->
                                NAME.matcher(row.group(1))
                                        .results()
                                        .forEach(
                                                name ->
                                                        documented.put(
                                                                name.group(1), row.group(2))));
        Map<String, String> tested =
                rows.keySet().stream()
                        .collect(
                                Collectors.toMap(
                                        row -> row,
                                        row ->
                                                refused.contains(row)
                                                        ? "refused"
                                                        : unread.contains(row)
                                                                ? "not read"
                                                                : "supported"));
        assertThat(documented).containsExactlyInAnyOrderEntriesOf(tested);
    }

    // ---- the rows

    private void rows() {
        files();
        server();
        user();
        plugin();
        variables();
    }

    private void files() {
        row(
                "current-context",
                () -> assertThat(asked(lab.cluster(), TOKEN)).isEqualTo("Bearer secret"));
        row(
                "context.cluster",
                () ->
                        isRefused(
                                edited("cluster: lab, user", "cluster: other, user"),
                                "there is no cluster"));
        row(
                "context.user",
                () -> isRefused(edited("user: dev,", "user: other,"), "there is no user"));
        row(
                "context.namespace",
                () ->
                        assertThat(
                                        AccessLab.connect(
                                                        Cluster.find(
                                                                lab.kubeconfig(
                                                                        lab.cluster(), TOKEN)))
                                                .getNamespace())
                                .isEqualTo("shop"));
        row(
                "extensions",
                () -> same(lab.cluster() + "\nextensions: []", TOKEN + "\nextensions: []"));
        row(
                "preferences",
                () ->
                        same(
                                edited(
                                        "current-context",
                                        "preferences: {colors: true}\ncurrent-context")));
    }

    private void server() {
        row(
                "cluster.server",
                () -> {
                    same(
                            lab.cluster()
                                    .replace(lab.server().url(), lab.server().url() + "/behind/"),
                            TOKEN);
                    for (String none : List.of("ftp://", "")) {
                        isRefused(
                                lab.cluster().replace("https://", none),
                                TOKEN,
                                "give an https address");
                    }
                });
        row(
                "cluster.tls-server-name",
                () -> {
                    String named = lab.cluster() + "\ntls-server-name: " + AccessLab.SERVER_NAME;
                    assertThat(same(named, TOKEN).name()).isEqualTo(AccessLab.SERVER_NAME);
                    assertThat(same(named.replace("127.0.0.1", "localhost"), TOKEN).name())
                            .isEqualTo(AccessLab.SERVER_NAME);
                    fails(lab.cluster().replace("127.0.0.1", "localhost"), TOKEN);
                    fails(lab.cluster() + "\ntls-server-name: other.test", TOKEN);
                });
        row(
                "cluster.insecure-skip-tls-verify",
                () -> {
                    String insecure =
                            "server: %s\ninsecure-skip-tls-verify: true"
                                    .formatted(lab.server().url());
                    same(insecure.replace("127.0.0.1", "localhost"), TOKEN);
                    isRefused(
                            insecure + "\ncertificate-authority: " + lab.authorityFile(),
                            TOKEN,
                            "give one of them");
                });
        row(
                "cluster.certificate-authority",
                () -> {
                    String file =
                            "server: %s\ncertificate-authority: ".formatted(lab.server().url());
                    same(file + lab.authorityFile(), TOKEN);
                    same(file + "server/ca.crt", TOKEN);
                    isRefused(file + "none.crt", TOKEN, "no such readable file");
                    isRefused(file + "kubeconfig", TOKEN, "no certificate");
                });
        row(
                "cluster.certificate-authority-data",
                () -> {
                    same(lab.cluster(), TOKEN);
                    fails("server: " + lab.server().url(), TOKEN);
                });
        row(
                "cluster.proxy-url",
                () -> {
                    try (ConnectProxy proxy = new ConnectProxy(lab.server().port(), "")) {
                        same(lab.cluster() + "\nproxy-url: http://" + proxy.address(), TOKEN);
                        assertThat(proxy.asked()).hasSizeGreaterThan(Kubectl.isThere() ? 1 : 0);
                    }
                });
        row(
                "cluster.disable-compression",
                () -> same(lab.cluster() + "\ndisable-compression: true", TOKEN));
        row(
                "cluster.extensions",
                () ->
                        assertThat(
                                        told(
                                                "provideClusterInfo: true",
                                                "\nextensions:\n- name: client.authentication.k8s.io/exec"
                                                        + "\n  extension: {audience: lab}"))
                                .contains("\"config\":{\"audience\":\"lab\"}"));
    }

    private void user() {
        row(
                "user.client-certificate",
                () -> {
                    String user = "client-certificate: rsa/tls.crt\nclient-key: rsa/tls.key";
                    assertThat(same(lab.cluster(), user).certificate()).isEqualTo("CN=rsa");
                    same(lab.cluster(), user + "\n" + TOKEN);
                    isRefused(
                            lab.cluster(),
                            user.replace("tls.crt", "none"),
                            "no such readable file");
                });
        row(
                "user.client-certificate-data",
                () -> {
                    String data =
                            "client-certificate-data: "
                                    + AccessLab.base64(lab.directory.resolve("rsa/tls.crt"));
                    same(lab.cluster(), data + "\nclient-key: rsa/tls.key");
                    isRefused(
                            lab.cluster(),
                            data + "\nclient-certificate: rsa/tls.crt\nclient-key: rsa/tls.key",
                            "client-certificate");
                });
        row(
                "user.client-key",
                () -> {
                    String certificate = "client-certificate: rsa/tls.crt";
                    isRefused(lab.cluster(), certificate, "client-key");
                    isRefused(
                            lab.cluster(),
                            certificate + "\nclient-key: server/tls.key",
                            "another certificate's");
                });
        row(
                "user.client-key-data",
                () ->
                        same(
                                lab.cluster(),
                                "client-certificate: rsa/tls.crt\nclient-key-data: "
                                        + AccessLab.base64(lab.directory.resolve("rsa/tls.key"))));
        row(
                "user.token",
                () -> {
                    assertThat(same(lab.cluster(), TOKEN).authorization())
                            .isEqualTo("Bearer secret");
                    isRefused(lab.cluster(), "token: \"two words\\n\"", "no blanks");
                });
        row(
                "user.tokenFile",
                () -> {
                    Files.writeString(directory.resolve("token"), "of-file\n");
                    assertThat(same(lab.cluster(), "tokenFile: token").authorization())
                            .isEqualTo("Bearer of-file");
                    assertThat(same(lab.cluster(), "tokenFile: token\n" + TOKEN).authorization())
                            .isEqualTo("Bearer of-file");
                    assertThat(same(lab.cluster(), "tokenFile: none\n" + TOKEN).authorization())
                            .isEqualTo("Bearer secret");
                    isRefused(lab.cluster(), "tokenFile: none", "no such readable file");
                });
        String as = TOKEN + "\nas: jane";
        row(
                "user.as",
                () ->
                        assertThat(same(lab.cluster(), as).impersonation())
                                .isEqualTo(Map.of("impersonate-user", List.of("jane"))));
        row(
                "user.as-uid",
                () -> {
                    assertThat(same(lab.cluster(), as + "\nas-uid: u-1").impersonation())
                            .containsEntry("impersonate-uid", List.of("u-1"));
                    isRefused(lab.cluster(), TOKEN + "\nas-uid: u-1", "name the user");
                });
        row(
                "user.as-groups",
                () -> {
                    assertThat(same(lab.cluster(), as + "\nas-groups: [dev, ops]").impersonation())
                            .containsEntry("impersonate-group", List.of("dev", "ops"));
                    isRefused(lab.cluster(), TOKEN + "\nas-groups: [dev]", "name the user");
                });
        row(
                "user.as-user-extra",
                () -> {
                    assertThat(
                                    same(
                                                    lab.cluster(),
                                                    as
                                                            + "\nas-user-extra: {acme.com/project: [a, b], Ünit: [c]}")
                                            .impersonation())
                            .containsEntry(
                                    "impersonate-extra-acme.com%2fproject", List.of("a", "b"))
                            .containsEntry("impersonate-extra-%c3%9cnit", List.of("c"));
                    isRefused(lab.cluster(), TOKEN + "\nas-user-extra: {a: [b]}", "name the user");
                });
        row(
                "user.username",
                () -> {
                    assertThat(
                                    same(lab.cluster(), "username: jane\npassword: \"p: w\"")
                                            .authorization())
                            .isEqualTo("Basic amFuZTpwOiB3");
                    isRefused(
                            lab.cluster(),
                            "username: jane\npassword: p\n" + TOKEN,
                            "give one of them");
                });
        row("user.password", () -> isRefused(lab.cluster(), "password: p", "name whose password"));
        refusedRow(
                "user.auth-provider",
                () ->
                        isRefused(
                                lab.cluster(),
                                "auth-provider: {name: gcp}",
                                "\"gcp\" is not valid"));
        row("user.extensions", () -> same(lab.cluster(), TOKEN + "\nextensions: []"));
    }

    private void plugin() {
        row(
                "exec.command",
                () -> {
                    assertThat(same(lab.cluster(), exec("")).authorization())
                            .isEqualTo("Bearer of-plugin");
                    isRefused(
                            lab.cluster(),
                            exec("").replace("./plugin", "no-such-plugin"),
                            "no such program");
                    isRefused(
                            lab.cluster(), exec("").replace("./plugin", "''"), "name the program");
                });
        row(
                "exec.args",
                () ->
                        assertThat(
                                        same(lab.cluster(), exec("args: [\"$HOME\", \"a b\", '*']"))
                                                .authorization())
                                .isEqualTo("Bearer of-plugin"));
        row(
                "exec.env",
                () -> {
                    assertThat(
                                    same(lab.cluster(), exec("env: [{name: SUFFIX, value: -lab}]"))
                                            .authorization())
                            .isEqualTo("Bearer of-plugin-lab");
                    isRefused(lab.cluster(), exec("env: [{value: x}]"), "name the variable");
                });
        row(
                "exec.apiVersion",
                () -> {
                    same(lab.cluster(), exec("").replace("k8s.io/v1", "k8s.io/v1beta1"));
                    isRefused(
                            lab.cluster(),
                            exec("").replace("k8s.io/v1", "k8s.io/v1alpha1"),
                            "v1beta1");
                });
        row(
                "exec.installHint",
                () ->
                        isRefused(
                                lab.cluster(),
                                exec("installHint: brew install it")
                                        .replace("./plugin", "no-such-plugin"),
                                "brew install it"));
        row(
                "exec.provideClusterInfo",
                () -> {
                    assertThat(told("", "")).doesNotContain("cluster");
                    assertThat(told("provideClusterInfo: true", ""))
                            .contains(
                                    "\"server\":\"" + lab.server().url() + "\"",
                                    lab.authorityData());
                });
        row(
                "exec.interactiveMode",
                () -> {
                    same(lab.cluster(), exec("").replace("Never", "IfAvailable"));
                    isRefused(lab.cluster(), exec("").replace("Never", "Always"), "nobody to ask");
                    isRefused(
                            lab.cluster(),
                            exec("").replace("interactiveMode: Never", ""),
                            "IfAvailable");
                    same(
                            lab.cluster(),
                            exec("").replace("interactiveMode: Never", "")
                                    .replace("k8s.io/v1", "k8s.io/v1beta1"));
                });
    }

    private void variables() {
        row(
                "KUBECONFIG",
                () -> {
                    Map<String, String> first = lab.kubeconfig(lab.cluster(), TOKEN);
                    Path other =
                            Files.writeString(
                                    directory.resolve("other"),
                                    """
                    current-context: other
                    users:
                    - {name: dev, user: {token: not-this-one}}
                    contexts:
                    - {name: lab, context: {cluster: none, user: none}}
                    """);
                    Map<String, String> both = new HashMap<>(first);
                    both.put("KUBECONFIG", "/none:" + first.get("KUBECONFIG") + ":" + other);
                    assertThat(same(both).authorization()).isEqualTo("Bearer secret");
                });
        row(
                "HOME",
                () -> {
                    Path home = Files.createDirectories(directory.resolve("home/.kube"));
                    Files.copy(
                            Path.of(lab.kubeconfig(lab.cluster(), TOKEN).get("KUBECONFIG")),
                            home.resolve("config"));
                    same(lab.environment(Map.of("HOME", home.getParent().toString())));
                });
        proxyRow("HTTPS_PROXY", Map.of());
        proxyRow("https_proxy", Map.of());
        proxyRow("NO_PROXY", Map.of("NO_PROXY", "elsewhere.test, *.cluster.test"));
        proxyRow("no_proxy", Map.of("no_proxy", " .cluster.test"));
        for (String name : List.of("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")) {
            Executable isDirect =
                    () -> {
                        Map<String, String> environment =
                                new HashMap<>(lab.kubeconfig(lab.cluster(), TOKEN));
                        environment.put(name, "http://127.0.0.1:1");
                        same(environment);
                    };
            if (name.equalsIgnoreCase("HTTP_PROXY")) {
                row(name, isDirect);
            } else {
                unreadRow(name, isDirect);
            }
        }
        row(
                "KUBERNETES_SERVICE_HOST",
                () -> assertThat(inPod().last().authorization()).isEqualTo("Bearer of-pod"));
        row("KUBERNETES_SERVICE_PORT", () -> assertThat(inPod().seen()).hasSize(1));
        row("KUBERNETES_AUTH_SERVICEACCOUNT_TOKEN", () -> assertThat(inPod().problem()).isEmpty());
        row("KUBERNETES_CERTS_CA_FILE", () -> assertThat(inPod().problem()).isEmpty());
        row("POD_NAMESPACE", () -> assertThat(namespaceInPod("POD_NAMESPACE")).isEqualTo("ours"));
        row(
                "KUBERNETES_NAMESPACE",
                () -> assertThat(namespaceInPod("KUBERNETES_NAMESPACE")).isEqualTo("ours"));
        row(
                "KUBERNETES_MASTER",
                () -> {
                    Map<String, String> environment = new HashMap<>(pod());
                    environment.put("KUBERNETES_MASTER", lab.server().url());
                    environment.remove("KUBERNETES_SERVICE_HOST");
                    assertThat(lab.program(environment).seen()).hasSize(1);
                });
        row(
                "KUBERNETES_EXEC_INFO",
                () -> assertThat(told("", "")).contains("ExecCredential", "\"interactive\":false"));
    }

    // ---- what they are made of

    private void row(String name, Executable test) {
        assertThat(rows.put(name, test)).isNull();
    }

    private void refusedRow(String name, Executable test) {
        row(name, test);
        refused.add(name);
    }

    private void unreadRow(String name, Executable test) {
        row(name, test);
        unread.add(name);
    }

    /** By a proxy, unless the server is excepted. The name leads nowhere else. */
    private void proxyRow(String name, Map<String, String> exceptions) {
        row(
                name,
                () -> {
                    try (ConnectProxy proxy = new ConnectProxy(lab.server().port(), "")) {
                        String cluster = lab.cluster().replace("127.0.0.1", AccessLab.SERVER_NAME);
                        Map<String, String> environment =
                                new HashMap<>(lab.kubeconfig(cluster, TOKEN));
                        environment.put(
                                exceptions.isEmpty() ? name : "HTTPS_PROXY", proxy.address());
                        environment.putAll(exceptions);
                        if (exceptions.isEmpty()) {
                            same(environment);
                            assertThat(proxy.asked()).isNotEmpty();
                        } else {
                            assertThat(lab.program(environment).problem()).isNotEmpty();
                            assertThat(proxy.asked()).isEmpty();
                        }
                    }
                });
    }

    private Map<String, String> pod() throws IOException {
        Path token = Files.writeString(directory.resolve("pod-token"), "of-pod");
        return Map.of(
                "HOME", "/none",
                "KUBERNETES_SERVICE_HOST", "127.0.0.1",
                "KUBERNETES_SERVICE_PORT", Integer.toString(lab.server().port()),
                "KUBERNETES_AUTH_SERVICEACCOUNT_TOKEN", token.toString(),
                "KUBERNETES_CERTS_CA_FILE", lab.authorityFile().toString());
    }

    private AccessLab.Outcome inPod() throws IOException {
        return lab.program(pod());
    }

    private String namespaceInPod(String variable) throws IOException {
        Map<String, String> environment = new HashMap<>(pod());
        environment.put(variable, "ours");
        return AccessLab.connect(Cluster.find(environment)).getNamespace();
    }

    private String exec(String more) throws IOException {
        lab.script(
                "plugin",
                """
                printf '%s' "$KUBERNETES_EXEC_INFO" > told
                version=$(printf '%s' "$KUBERNETES_EXEC_INFO" | grep -o 'client.authentication.k8s.io/v1[a-z0-9]*')
                echo 'something to say' >&2
                if [ $# -gt 0 ] && [ "$1|$2|$3" != '$HOME|a b|*' ]; then exit 3; fi
                printf '{"kind": "ExecCredential", "apiVersion": "%s", "status": {"token": "of-plugin%s"}}' "$version" "$SUFFIX"
                """
                        .replace("> told", "> " + directory.resolve("told")));
        return "exec:\n  apiVersion: client.authentication.k8s.io/v1\n  command: ./plugin\n  interactiveMode: Never\n"
                + more.indent(2);
    }

    /** What a plugin is told, by the program; kubectl tells it the same. */
    private String told(String exec, String cluster) throws Exception {
        Map<String, String> environment = lab.kubeconfig(lab.cluster() + cluster, exec(exec));
        Path told = directory.resolve("told");
        assertThat(lab.program(environment).problem()).isEmpty();
        String own = Files.readString(told);
        if (Kubectl.isThere()) {
            lab.kubectl(environment);
            assertThat(tree(own)).isEqualTo(tree(Files.readString(told)));
        }
        return own;
    }

    private static Object tree(String json) throws IOException {
        return new com.fasterxml.jackson.databind.ObjectMapper().readTree(json);
    }

    private Map<String, String> edited(String old, String replacement) throws IOException {
        Map<String, String> environment = lab.kubeconfig(lab.cluster(), TOKEN);
        Path file = Path.of(environment.get("KUBECONFIG"));
        String text = Files.readString(file);
        assertThat(text).contains(old);
        Files.writeString(file, text.replace(old, replacement));
        return environment;
    }

    private String asked(String cluster, String user) throws Exception {
        return same(cluster, user).authorization();
    }

    private KubeServer.Seen same(String cluster, String user) throws Exception {
        return same(lab.kubeconfig(cluster, user));
    }

    /** Asks, and holds that kubectl is seen alike. */
    private KubeServer.Seen same(Map<String, String> environment) throws Exception {
        AccessLab.Outcome own = lab.program(environment);
        assertThat(own.problem()).isEmpty();
        if (Kubectl.isThere()) {
            AccessLab.Outcome kubectl = lab.kubectl(environment, own.last().path());
            assertThat(kubectl.problem()).isEmpty();
            assertThat(identity(own.last())).isEqualTo(identity(kubectl.last()));
        }
        return own.last();
    }

    private static List<Object> identity(KubeServer.Seen seen) {
        return List.of(
                seen.authorization(),
                seen.impersonation(),
                seen.certificate(),
                seen.name(),
                seen.path());
    }

    private void isRefused(String cluster, String user, String words) {
        try {
            isRefused(lab.kubeconfig(cluster, user), words);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void isRefused(Map<String, String> environment, String words) {
        AccessLab.Outcome own = lab.program(environment);
        assertThat(own.seen()).isEmpty();
        assertThat(own.problem())
                .startsWith(environment.get("KUBECONFIG"))
                .contains(words)
                .doesNotContain("\n", "secret");
    }

    /** Asks in vain, and so does kubectl. */
    private void fails(String cluster, String user) throws Exception {
        Map<String, String> environment = lab.kubeconfig(cluster, user);
        assertThat(lab.program(environment).problem()).isNotEmpty();
        if (Kubectl.isThere()) {
            assertThat(lab.kubectl(environment).problem()).isNotEmpty();
        }
    }
}
