package io.volumesnapshotter.settings;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The files that list settings say what {@link ScheduleSettings} and {@link ProgramSettings} say.
 * With {@code -Dsettings.write=true} they are written instead of compared.
 */
class SettingPagesTest {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final boolean WRITES = Boolean.getBoolean("settings.write");

    private static final Path PROPERTIES =
            Path.of("src", "main", "resources", "application.properties");
    private static final String CATALOGUE =
            "src/main/resources/META-INF/io/volumesnapshotter/schedule/%s.json";
    private static final Path ENVIRONMENT = Path.of("k8s", "settings.env");

    private static final String TABLE = "| setting | default | meaning |\n|---|---|---|\n";
    private static final Pattern ROW = Pattern.compile("(?m)^\\| `([a-z.-]+)` \\|.*\\|$");
    private static final Pattern VARIABLE =
            Pattern.compile("(?m)^# .*\n(SNAPSHOTTER_[A-Z_]+)=(.*)$");

    private static final String PAGE = "docs/settings.md";
    private static final String OF_SCHEDULES = "docs/schedules.md";
    private static final String OF_DRILLS = "docs/drill.md";
    private static final List<String> FEATURES =
            List.of("docs/high-availability.md", "docs/hawtio.md");

    @Test
    void theDefaultsAreInTheProperties() {
        String text = read(PROPERTIES);
        String start = "# Namespaces of the claims";
        String end = "\ncamel.main.name=";
        String block =
                all().map(
                                setting ->
                                        "# %s\n%s=%s\n"
                                                .formatted(
                                                        setting.sentence(),
                                                        Settings.PREFIX + setting.name(),
                                                        setting.value()))
                        .collect(Collectors.joining());
        is(
                PROPERTIES,
                text.substring(0, text.indexOf(start)) + block + text.substring(text.indexOf(end)));
    }

    @Test
    void theManifestsExplainTheSettingsThatTheyHave() {
        Map<String, Setting<?>> settings =
                all().collect(Collectors.toMap(Setting::variable, Function.identity()));
        String text = read(ENVIRONMENT);
        assertThat(VARIABLE.matcher(text).results()).isNotEmpty();
        is(
                ENVIRONMENT,
                VARIABLE.matcher(text)
                        .replaceAll(
                                found ->
                                        Matcher.quoteReplacement(
                                                "# %s\n%s=%s"
                                                        .formatted(
                                                                settings.get(found.group(1))
                                                                        .sentence(),
                                                                found.group(1),
                                                                found.group(2)))));
    }

    @Test
    void thePageOnSchedulesListsTheirSettings() {
        String rows =
                ScheduleSettings.all().stream()
                        .map(setting -> row("", setting))
                        .collect(Collectors.joining("\n", "", "\n"));
        is(
                Path.of(OF_SCHEDULES),
                withTable(read(Path.of(OF_SCHEDULES)), "## All settings\n", rows));
    }

    @Test
    void thePageOnDrillsListsTheSettingsOfTheirSchedules() {
        String rows =
                DrillSettings.all().stream()
                        .map(setting -> row("", setting))
                        .collect(Collectors.joining("\n", "", "\n"));
        is(
                Path.of(OF_DRILLS),
                withTable(read(Path.of(OF_DRILLS)), "### Settings of a drill\n", rows));
    }

    @Test
    void thePageOnSettingsListsThoseThatNoOtherTableHas() {
        String text = read(Path.of(PAGE));
        String heading = "## Of the whole program\n";
        TreeSet<String> elsewhere = names(text.substring(0, text.indexOf(heading)));
        FEATURES.forEach(page -> elsewhere.addAll(names(read(Path.of(page)))));
        String rows =
                ProgramSettings.all().stream()
                        .filter(setting -> !elsewhere.contains(Settings.PREFIX + setting.name()))
                        .map(setting -> row(Settings.PREFIX, setting))
                        .collect(Collectors.joining("\n", "", "\n"));
        is(Path.of(PAGE), withTable(text, heading, rows));
    }

    @ParameterizedTest
    @ValueSource(strings = {PAGE, "docs/high-availability.md", "docs/hawtio.md"})
    void aRowOfAPageSaysWhatTheSettingIs(String page) {
        Map<String, String> rows = new HashMap<>();
        all().forEach(
                        setting ->
                                rows.put(
                                        Settings.PREFIX + setting.name(),
                                        row(Settings.PREFIX, setting)));
        String text = read(Path.of(page));
        assertThat(names(text)).isNotEmpty().isSubsetOf(rows.keySet());
        is(
                Path.of(page),
                ROW.matcher(text)
                        .replaceAll(
                                found ->
                                        Matcher.quoteReplacement(
                                                rows.getOrDefault(found.group(1), found.group()))));
    }

    @Test
    void theCatalogueOfComponentsDescribesPolicyAndDrill() throws IOException {
        describe(
                "policy",
                "Holds a schedule's settings, and hands them on.",
                ScheduleSettings.all());
        describe(
                "drill",
                "Holds the settings of a schedule that drills, and hands them on.",
                DrillSettings.all());
    }

    private static void describe(String scheme, String description, List<Setting<?>> settings)
            throws IOException {
        ObjectNode json = JSON.createObjectNode();
        json.putObject("component")
                .put("kind", "component")
                .put("name", scheme)
                .put("title", scheme.substring(0, 1).toUpperCase(Locale.ROOT) + scheme.substring(1))
                .put("description", description)
                .put("deprecated", false)
                .put("label", "volume-snapshotter")
                .put("javaType", "io.volumesnapshotter.schedule.PolicyComponent")
                .put("scheme", scheme)
                .put("syntax", scheme + ":schedule")
                .put("async", false)
                .put("api", false)
                .put("consumerOnly", false)
                .put("producerOnly", true)
                .put("lenientProperties", false);
        json.putObject("componentProperties");
        ObjectNode properties = json.putObject("properties");
        property(properties, "schedule", "path", "string")
                .put("required", true)
                .put("description", "Name of the schedule, which is the route's.");
        for (Setting<?> setting : settings) {
            ObjectNode property =
                    property(properties, setting.name(), "parameter", setting.type().schema())
                            .put("required", false);
            if (!setting.value().isEmpty()) {
                property.put("defaultValue", setting.value());
            }
            property.put("description", setting.sentence());
        }
        is(
                Path.of(CATALOGUE.formatted(scheme)),
                JSON.writerWithDefaultPrettyPrinter().writeValueAsString(json) + "\n");
    }

    private static ObjectNode property(
            ObjectNode properties, String name, String kind, String type) {
        return properties
                .putObject(name)
                .put("index", properties.size() - 1)
                .put("kind", kind)
                .put("displayName", displayName(name))
                .put("group", "producer")
                .put("type", type)
                .put("javaType", "java.lang.String")
                .put("deprecated", false)
                .put("secret", false);
    }

    private static String displayName(String name) {
        return Stream.of(name.split("-"))
                .map(word -> word.substring(0, 1).toUpperCase(Locale.ROOT) + word.substring(1))
                .collect(Collectors.joining(" "));
    }

    private static TreeSet<String> names(String page) {
        return ROW.matcher(page)
                .results()
                .map(found -> found.group(1))
                .filter(name -> name.startsWith(Settings.PREFIX))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static String withTable(String page, String heading, String rows) {
        int start = page.indexOf(TABLE, page.indexOf(heading)) + TABLE.length();
        int end = start;
        while (page.startsWith("| ", end)) {
            end = page.indexOf('\n', end) + 1;
        }
        return page.substring(0, start) + rows + page.substring(end);
    }

    private static String row(String prefix, Setting<?> setting) {
        String value = setting.value().isEmpty() ? setting.without() : "`" + setting.value() + "`";
        return "| `%s` | %s | %s |".formatted(prefix + setting.name(), value, setting.meaning());
    }

    private static Stream<Setting<?>> all() {
        return Stream.concat(ScheduleSettings.all().stream(), ProgramSettings.all().stream());
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void is(Path file, String text) {
        if (!WRITES) {
            assertThat(file).hasContent(text);
            return;
        }
        try {
            Files.writeString(file, text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
