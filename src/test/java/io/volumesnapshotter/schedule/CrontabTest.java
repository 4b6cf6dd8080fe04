package io.volumesnapshotter.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.zone.ZoneOffsetTransition;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import net.jqwik.api.statistics.Statistics;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The five fields of crontab(5): each accepted expression fires when crontab would. */
class CrontabTest {

    private static final Instant FROM = Instant.parse("2026-11-22T10:30:15Z");

    /**
     * Without Lord Howe and Chatham, whose clocks are set forward into the middle of an hour: there
     * Quartz may pass over the rest of that hour as well, once a year.
     */
    private static final List<String> ZONES =
            List.of(
                    "UTC",
                    "Europe/Berlin",
                    "America/New_York",
                    "America/Santiago",
                    "America/St_Johns",
                    "Asia/Kolkata",
                    "Africa/Casablanca");

    private static final List<String> DAYS =
            List.of("SUN", "mon", "Tue", "WED", "THU", "FRI", "SAT");
    private static final List<String> MONTHS =
            List.of("JAN", "feb", "MAR", "APR", "May", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV");

    @ParameterizedTest(name = "{0}")
    @ValueSource(
            strings = {
                "* * * * *",
                "*/15 * * * *",
                "*/60 */24 */31 */12 *",
                "0 0 * * */7",
                "7 4-20/4 * * *",
                "0 0 * * 0-7",
                "0 0 * * 7-7",
                "0 0 * * 5-7",
                "0 0 * * 1-7/2",
                "0 0 * * */2",
                "0 0 * * SUN-SAT",
                "0 0 * * mon-FRI",
                "0 0 * * sun,WED-THU,6",
                "0 0 1-31 * MON",
                "0 0 */1 * MON",
                "0 0 13 * 0-6",
                "0 0 29 2 *",
                "0 0 31 * *",
                "0 0 1 jan,JUN-aug/2 *",
                "05 00 01 010 *",
                "  30\t1  * *  SUN "
            })
    void firesWhenCrontabWould(String expression) {
        assertThat(fires(expression, FROM, ZoneId.of("UTC"), 12))
                .isEqualTo(new CrontabReference(expression).after(FROM, ZoneId.of("UTC"), 12));
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    30 1 1-7 * SUN    | "or": it fires on 1-7 of each month, and on each SUN besides
                    30 1 1-7 * SUN    | for SUN number 1 of a month write "0 30 1 ? * SUN#1"
                    30 1 22-28 6 5    | for FRI number 4 of a month write "0 30 1 ? 6 FRI#4"
                    0 0 13 * 5        | give one of the two and * for the other, or two schedules
                    0 0 */2 * MON     | only on days that are both, */2 of the month and MON
                    0 0 13 * */2      | only on days that are both
                    0 3 ? * *         | crontab has no ?; write *
                    0 3 * * ?         | crontab has no ?; write *
                    */90 * * * *      | the step of */90 is from 1 to 60; crontab begins anew with each hour
                    0 */36 * * *      | each day, so a longer one is no other than hour 0 alone
                    0 0 * * */8       | the step of */8 is from 1 to 7
                    0-30/45 * * * *   | the step of 0-30/45 is from 1 to 31
                    */0 * * * *       | the step of */0 is from 1 to 60
                    5/15 * * * *      | write 5-59/15
                    0 0 * * SAT-SUN   | a range goes up, and SAT-SUN does not
                    0 0 * * 6-0       | a range goes up, and 6-0 does not
                    0 22-6 * * *      | a range goes up, and 22-6 does not
                    0 3 L * *         | Quartz has, in six fields: "0 0 3 L * ?"
                    0 3 15W * *       | Quartz has, in six fields: "0 0 3 15W * ?"
                    0 3 * * 5L        | Quartz has, in six fields: "0 0 3 ? * FRIL"
                    0 3 * * 7#1       | Quartz has, in six fields: "0 0 3 ? * SUN#1"
                    0 3 * * SUN#2     | Quartz has, in six fields: "0 0 3 ? * SUN#2"
                    H 3 * * *         | crontab has no H; spread a run by the schedule's jitter
                    0~59 3 * * *      | crontab has no 0~59; spread a run by the schedule's jitter
                    60 * * * *        | minute: "60" is not from 0 to 59
                    0 24 * * *        | hour: "24" is not from 0 to 23
                    0 0 0 * *         | day of the month: "0" is not from 1 to 31
                    0 0 32 * *        | day of the month: "32" is not from 1 to 31
                    0 0 1 13 *        | month: "13" is not from 1 to 12 or one of JAN, FEB
                    0 0 * * 8         | day of the week: "8" is not from 0 to 7 or one of SUN, MON
                    0 0 * * MONDAY    | day of the week: "MONDAY" is not from 0 to 7
                    0 0 JAN * *       | day of the month: "JAN" is not
                    -1 * * * *        | minute: "-1" is not a number, a range
                    1,,2 * * * *      | minute: "" is not a number
                    1-2-3 * * * *     | minute: "1-2-3" is not a number
                    99999999999 * * * * | is not from 0 to 59
                    0 3 * *           | crontab has five fields, and here are 4
                    """)
    void whatQuartzCannotDoOrCrontabMeansOtherwiseIsToldWithWhatToWrite(
            String expression, String words) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Crontab.toQuartz(expression))
                .withMessageContaining(words);
    }

    @Property(tries = 1500, edgeCases = EdgeCasesMode.NONE)
    void eachAcceptedExpressionFiresExactlyWhenCrontabWould(
            @ForAll("expressions") String expression,
            @ForAll("zones") ZoneId zone,
            @ForAll("seconds") long second) {
        assertThatItFires(expression, Instant.ofEpochSecond(second), zone);
    }

    @Property(tries = 1500, edgeCases = EdgeCasesMode.NONE)
    void soItDoesWhereTheClockIsChanged(
            @ForAll("expressions") String expression,
            @ForAll("zones") ZoneId zone,
            @ForAll("seconds") long second,
            @ForAll("hoursFromAChange") Duration off) {
        ZoneOffsetTransition change = zone.getRules().nextTransition(Instant.ofEpochSecond(second));
        Instant from = (change == null ? FROM : change.getInstant()).plus(off);
        assertThatItFires(expression, from, zone);
    }

    private static void assertThatItFires(String expression, Instant from, ZoneId zone) {
        boolean accepted;
        try {
            Crontab.toQuartz(expression);
            accepted = true;
        } catch (IllegalArgumentException e) {
            accepted = false;
            assertThat(e).hasMessageContainingAll("crontab", "give one of the two and *");
        }
        Statistics.label("accepted")
                .collect(accepted)
                .coverage(c -> c.check(true).percentage(p -> p > 50));
        if (!accepted) {
            return;
        }
        List<Instant> expected = new CrontabReference(expression).after(from, zone, 4);
        assertThat(fires(expression, from, zone, 4))
                .as("%s in %s after %s", expression, zone, from)
                .isEqualTo(expected);
        String quartz = Crontab.toQuartz(expression);
        Instant last = expected.get(0);
        for (Instant fire : expected.subList(1, expected.size())) {
            assertThat(Cron.lastDue(quartz, zone, fire.minusMillis(1)))
                    .as("the last due time before %s: %s in %s", fire, expression, zone)
                    .contains(last);
            assertThat(Cron.lastDue(quartz, zone, fire)).contains(fire);
            last = fire;
        }
        assertThat(Cron.lastDue(quartz, zone, from))
                .as("the last due time at %s: %s in %s", from, expression, zone)
                .hasValueSatisfying(
                        due ->
                                assertThat(
                                                new CrontabReference(expression)
                                                        .after(due.minusSeconds(1), zone, 1))
                                        .containsExactly(due));
    }

    /** The next fires as the program reckons them. */
    private static List<Instant> fires(String expression, Instant from, ZoneId zone, int count) {
        String quartz = Cron.toQuartz("schedule", expression);
        List<Instant> fires = new ArrayList<>();
        Instant fire = from;
        for (int i = 0; i < count; i++) {
            fire = Cron.nextDue(quartz, zone, fire).orElseThrow();
            fires.add(fire);
        }
        return fires;
    }

    @Provide
    Arbitrary<ZoneId> zones() {
        return Arbitraries.of(ZONES).map(ZoneId::of);
    }

    @Provide
    Arbitrary<Long> seconds() {
        return Arbitraries.longs()
                .between(
                        Instant.parse("2024-01-01T00:00:00Z").getEpochSecond(),
                        Instant.parse("2032-01-01T00:00:00Z").getEpochSecond());
    }

    @Provide
    Arbitrary<Duration> hoursFromAChange() {
        return Arbitraries.longs().between(-30 * 3600, 6 * 3600).map(Duration::ofSeconds);
    }

    @Provide
    Arbitrary<String> expressions() {
        Arbitrary<String> star = Arbitraries.just("*");
        Arbitrary<String> date = field(1, 31, List.of());
        Arbitrary<String> weekday = field(0, 7, DAYS);
        Arbitrary<String> days =
                Arbitraries.frequencyOf(
                        Tuple.of(3, Combinators.combine(star, star).as(CrontabTest::days)),
                        Tuple.of(3, Combinators.combine(date, star).as(CrontabTest::days)),
                        Tuple.of(3, Combinators.combine(star, weekday).as(CrontabTest::days)),
                        Tuple.of(2, Combinators.combine(date, weekday).as(CrontabTest::days)));
        Arbitrary<String> month =
                Arbitraries.oneOf(star, star, field(1, 11, MONTHS).map(text -> text + ",12"));
        return Combinators.combine(field(0, 59, List.of()), field(0, 23, List.of()), month, days)
                .as(
                        (minutes, hours, months, both) ->
                                minutes + " " + hours + " " + both.replace("@", months));
    }

    private static String days(String date, String weekday) {
        return date + " @ " + weekday;
    }

    /** A field as crontab takes it: one to three of a star, numbers, names, ranges, with steps. */
    private static Arbitrary<String> field(int low, int high, List<String> names) {
        Arbitrary<Integer> number = Arbitraries.integers().between(low, high);
        Arbitrary<String> one =
                Combinators.combine(number, Arbitraries.of(true, false))
                        .as((n, named) -> name(n, low, names, named));
        Arbitrary<String> range =
                Combinators.combine(number, number, Arbitraries.of(true, false))
                        .as(
                                (a, b, named) ->
                                        name(Math.min(a, b), low, names, named)
                                                + "-"
                                                + name(Math.max(a, b), low, names, false));
        Arbitrary<String> stepped =
                Combinators.combine(number, number, Arbitraries.integers().between(1, 60))
                        .as(
                                (a, b, step) ->
                                        Math.min(a, b)
                                                + "-"
                                                + Math.max(a, b)
                                                + "/"
                                                + (1 + step % (Math.abs(a - b) + 1)));
        Arbitrary<String> star =
                Arbitraries.integers()
                        .between(1, names == DAYS ? 7 : high - low + 1)
                        .map(step -> step == 1 ? "*" : "*/" + step);
        return Arbitraries.oneOf(one, range, stepped, star)
                .list()
                .ofMinSize(1)
                .ofMaxSize(3)
                .map(parts -> String.join(",", parts));
    }

    private static String name(int number, int low, List<String> names, boolean named) {
        return named && number - low < names.size() ? names.get(number - low) : "" + number;
    }
}
