package io.volumesnapshotter.settings;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class OneLineTest {

    private static final Pattern CHARACTER = Pattern.compile("<([0-9a-f]{1,4})>");

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            ignoreLeadingAndTrailingWhitespace = false,
            value = {
                "rpc error: code = Internal|rpc error: code = Internal",
                "one<a>two|one two",
                "one<d><a>  two <a><a>three<2028>four|one two three four",
                " one<a>|one",
                "<1b>[2J<1b>[31mred|[2J[31mred",
                "bell<7>, <9b>1m, del<7f>|bell, 1m, del",
                "<202e>gnp.exe<202c>|gnp.exe",
                "a<9>tab|a tab",
                "zero<200b>width<feff>|zerowidth",
                "größer, 日本語, 😀|größer, 日本語, 😀",
                "Authorization: Bearer abcdef123456|Authorization: Bearer …",
                "bea<200b>rer abcdef123456|bearer …",
            })
    void isOneLineWithoutWhatIsNotSeen(String text, String line) {
        String real =
                CHARACTER
                        .matcher(text)
                        .replaceAll(c -> Character.toString(Integer.parseInt(c.group(1), 16)));
        assertThat(OneLine.of(real)).isEqualTo(line);
    }

    @ParameterizedTest
    @ValueSource(strings = {"x", " ", "\n", "1234567890abcdef-", "bearer ", "😀", "x😀"})
    void isNeverLongerThanTheLimit(String part) {
        String line = OneLine.of(part.repeat(200_000));
        assertThat(line).hasSizeLessThanOrEqualTo(OneLine.MAX).endsWith("…");
        assertThat(line.codePoints()).noneMatch(c -> Character.getType(c) == Character.SURROGATE);
    }

    @Test
    void whatFitsIsNotCut() {
        String text = "x".repeat(OneLine.MAX);
        assertThat(OneLine.of(text)).isEqualTo(text);
        assertThat(OneLine.of(text + "y")).isEqualTo("x".repeat(OneLine.MAX - 1) + "…");
    }
}
