package io.volumesnapshotter.kubernetes;

import io.volumesnapshotter.settings.InvalidSettingException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * Who a kubeconfig's user is. A token and a certificate go together; a plugin is asked when neither
 * these nor a password are there, as kubectl does.
 */
final class User implements CredentialSource {

    static final Set<String> FIELDS =
            Set.of(
                    "client-certificate",
                    "client-certificate-data",
                    "client-key",
                    "client-key-data",
                    "token",
                    "tokenFile",
                    "as",
                    "as-uid",
                    "as-groups",
                    "as-user-extra",
                    "username",
                    "password",
                    "auth-provider",
                    "exec",
                    "extensions");

    private static final Set<String> CERTIFICATE =
            Set.of(
                    "client-certificate",
                    "client-certificate-data",
                    "client-key",
                    "client-key-data");

    private final Optional<String> authorization;
    private final Optional<Watched<String>> tokenFile;
    private final Optional<Watched<ClientCertificate>> certificate;
    private final Optional<CredentialSource> plugin;
    private final Map<String, List<String>> impersonation;

    private User(
            Optional<String> authorization,
            Optional<Watched<String>> tokenFile,
            Optional<Watched<ClientCertificate>> certificate,
            Optional<CredentialSource> plugin,
            Map<String, List<String>> impersonation) {
        this.authorization = authorization;
        this.tokenFile = tokenFile;
        this.certificate = certificate;
        this.plugin = plugin;
        this.impersonation = impersonation;
    }

    /**
     * The user of a kubeconfig.
     *
     * @param tls whether the server is told credentials in secret; who has none is refused then, as
     *     kubectl asks for a password
     * @param plugins makes what asks the plugin of its {@code exec}
     * @throws InvalidSettingException when it is not clear who it is
     */
    static User of(
            KubeconfigEntry user,
            boolean tls,
            Function<KubeconfigEntry, CredentialSource> plugins) {
        if (user.has("auth-provider")) {
            throw user.invalid(
                    "auth-provider",
                    user.part("auth-provider").text("name"),
                    "it is not supported: an exec plugin does the same");
        }
        Optional<String> basic = basic(user);
        String token = user.text("token");
        boolean hasTokenFile = !user.text("tokenFile").isEmpty();
        if (basic.isPresent() && (hasTokenFile || !token.isEmpty())) {
            throw user.invalid(
                    "username", user.text("username"), "a token is there, too: give one of them");
        }
        Optional<String> authorization = token.isEmpty() ? basic : Optional.of(header(user, token));
        Optional<Watched<String>> tokenFile =
                hasTokenFile ? Optional.of(tokenFile(user, token)) : Optional.empty();
        Optional<Watched<ClientCertificate>> certificate = certificate(user);
        boolean inHeader = authorization.isPresent() || tokenFile.isPresent();
        if (certificate.isPresent() && !inHeader && !tls) {
            throw user.invalid(
                    "client-certificate",
                    user.text("client-certificate"),
                    "the server's address begins with http://, where none can be shown");
        }
        boolean given = inHeader || certificate.isPresent();
        Optional<CredentialSource> plugin =
                given || !user.has("exec")
                        ? Optional.empty()
                        : Optional.of(plugins.apply(user.part("exec")));
        if (tls && !given && plugin.isEmpty()) {
            throw user.invalid(
                    "user",
                    user.place(),
                    "it has no credential: give a token, tokenFile, client-certificate, exec or"
                            + " username");
        }
        return new User(authorization, tokenFile, certificate, plugin, Impersonation.of(user));
    }

    /** The service account of a pod, by its token's file. */
    static User ofTokenFile(String place, Path file) {
        return new User(
                Optional.empty(),
                Optional.of(tokens(Watched.Source.of(place, file))),
                Optional.empty(),
                Optional.empty(),
                Map.of());
    }

    /** Somebody with a token, or nobody. */
    static User ofToken(Optional<String> authorization) {
        return new User(
                authorization, Optional.empty(), Optional.empty(), Optional.empty(), Map.of());
    }

    private static Optional<String> basic(KubeconfigEntry user) {
        String name = user.text("username");
        String password = user.text("password");
        if (name.isEmpty() && !password.isEmpty()) {
            throw user.invalid("username", name, "name whose password that is");
        }
        return name.isEmpty()
                ? Optional.empty()
                : Optional.of(
                        "Basic "
                                + Base64.getEncoder()
                                        .encodeToString(
                                                (name + ":" + password)
                                                        .getBytes(StandardCharsets.UTF_8)));
    }

    private static String header(KubeconfigEntry user, String token) {
        try {
            return Tokens.header(token);
        } catch (IOException e) {
            throw user.invalid("token", KubeconfigEntry.HIDDEN, e.getMessage());
        }
    }

    /**
     * Goes before a token that stands beside it, which counts as long as the file cannot be read.
     */
    private static Watched<String> tokenFile(KubeconfigEntry user, String token) {
        Path file =
                token.isEmpty()
                        ? user.path("tokenFile").orElseThrow()
                        : user.resolve(user.text("tokenFile"));
        return tokens(Watched.Source.of(user.placeOf("tokenFile"), file));
    }

    private static Watched<String> tokens(Watched.Source source) {
        return new Watched<>(
                List.of(source),
                contents ->
                        Tokens.header(new String(contents.get(0), StandardCharsets.UTF_8).strip()));
    }

    private static Optional<Watched<ClientCertificate>> certificate(KubeconfigEntry user) {
        if (CERTIFICATE.stream().noneMatch(user::has)) {
            return Optional.empty();
        }
        Watched.Source certificates = source(user, "client-certificate");
        Watched.Source key = source(user, "client-key");
        return Optional.of(
                new Watched<>(
                        List.of(certificates, key),
                        contents -> ClientCertificate.of(contents.get(0), contents.get(1))));
    }

    private static Watched.Source source(KubeconfigEntry user, String field) {
        Optional<Path> file = user.path(field);
        Optional<byte[]> data = user.data(field + "-data");
        if (file.isPresent() == data.isPresent()) {
            throw user.invalid(
                    field, user.text(field), "give either %1$s or %1$s-data".formatted(field));
        }
        String place = user.placeOf(file.isPresent() ? field : field + "-data");
        return file.map(path -> Watched.Source.of(place, path))
                .orElseGet(() -> Watched.Source.of(place, data.get()));
    }

    @Override
    public Credentials current() {
        if (plugin.isPresent()) {
            return plugin.get().current();
        }
        return new Credentials(header(), certificate.map(Watched::read));
    }

    private Optional<String> header() {
        try {
            return tokenFile.map(Watched::read).or(() -> authorization);
        } catch (NoCredentialException e) {
            if (authorization.isPresent()) {
                return authorization;
            }
            throw e;
        }
    }

    @Override
    public boolean renew(Credentials refused) {
        return plugin.map(source -> source.renew(refused))
                .orElseGet(() -> !current().equals(refused));
    }

    @Override
    public Map<String, List<String>> impersonation() {
        return impersonation;
    }
}
