package io.volumesnapshotter.kubernetes;

import java.io.IOException;
import java.util.regex.Pattern;

/** What an Authorization header may hold. */
final class Tokens {

    /** An HTTP client that is given anything else quotes it in its complaint. */
    private static final Pattern VISIBLE = Pattern.compile("[\\x21-\\x7e]+");

    private Tokens() {}

    /**
     * The header of a token.
     *
     * @throws IOException when it is none; the token is not in its words
     */
    static String header(String token) throws IOException {
        if (token.isEmpty()) {
            throw new IOException("it is empty");
        }
        if (!VISIBLE.matcher(token).matches()) {
            throw new IOException("a token has no blanks and no other such characters");
        }
        return "Bearer " + token;
    }
}
