package io.volumesnapshotter.settings;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NameFilterTest {

    @ParameterizedTest(name = "{0} means {1}")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    ''                        | data,data-1,data-tmp-1,db,a.b
                    data                      | data
                    data,db                   | data,db
                    data-*                    | data-1,data-tmp-1
                    data-*,!data-tmp-*        | data-1
                    !data-tmp-*,data-*        | data-1
                    !data                     | data-1,data-tmp-1,db,a.b
                    d?                        | db
                    *                         | data,data-1,data-tmp-1,db,a.b
                    *,!d*                     | a.b
                    a?b                       | a.b
                    a.*                       | a.b
                    db,!db                    | ''
                    """)
    void aPatternMeansWhatItMatchesButForWhatIsLeftOut(String words, String meant) {
        assertThat(
                        Stream.of("data", "data-1", "data-tmp-1", "db", "a.b")
                                .filter(filter(words)::accepts))
                .containsExactlyElementsOf(list(meant));
    }

    @Test
    void onlyPlainNamesNeedNoLook() {
        assertThat(filter("data,db").exact()).containsExactly("data", "db");
        assertThat(filter("data,d?").exact()).isEmpty();
        assertThat(filter("data,!db").isExact()).isFalse();
        assertThat(filter("").isExact()).isFalse();
    }

    private static NameFilter filter(String words) {
        return new NameFilter(list(words));
    }

    private static List<String> list(String words) {
        return words.isEmpty() ? List.of() : List.of(words.split(","));
    }
}
