package io.volumesnapshotter.settings;

import java.util.Locale;
import java.util.function.BiFunction;

/**
 * One setting, and all that there is to say about it. Its reading, the check of names, the defaults
 * in {@code application.properties}, the tables of the pages and the description of {@code policy:}
 * for editors are made of this.
 *
 * @param <T> what it is read as
 * @param name in kebab case and in the words of the Kubernetes API, without {@link Settings#PREFIX}
 * @param type how its text is read
 * @param value its default; empty for none
 * @param without what its default is called in tables when it is empty
 * @param group with which others a schedule inherits it
 * @param meaning one sentence that begins in lower case and has no full stop; code is in backticks
 */
public record Setting<T>(
        String name, Type<T> type, String value, String without, Group group, String meaning) {

    /** What an empty default is called, as a rule. */
    static final String NONE = "none";

    /** A schedule that has one setting of a group inherits no other of it. */
    public enum Group {
        /** In which namespaces. */
        WHERE,
        /** Which claims there. */
        WHICH,
        /** Which snapshot class. */
        SNAPSHOT_CLASS,
        /** What stays. */
        KEEP_RULES,
        /** How applications are frozen. */
        QUIESCE,
        /** Inherited by itself. */
        ALONE
    }

    /**
     * How a setting's text is read.
     *
     * @param schema what Camel's catalogue calls the type
     * @param reader reads a setting by its name; throws {@link InvalidSettingException}
     */
    public record Type<T>(String schema, BiFunction<Settings, String, T> reader) {

        static <T> Type<T> text(BiFunction<Settings, String, T> reader) {
            return new Type<>("string", reader);
        }

        static <T> Type<T> flag(BiFunction<Settings, String, T> reader) {
            return new Type<>("boolean", reader);
        }

        static <T> Type<T> number(BiFunction<Settings, String, T> reader) {
            return new Type<>("integer", reader);
        }

        static <T> Type<T> duration(BiFunction<Settings, String, T> reader) {
            return new Type<>("duration", reader);
        }
    }

    /** The environment variable that overrides the default. */
    public String variable() {
        return (Settings.PREFIX + name)
                .toUpperCase(Locale.ROOT)
                .replace('.', '_')
                .replace('-', '_');
    }

    /** The meaning, and that of an empty text, as a sentence of its own without markup. */
    public String sentence() {
        String plain = meaning.replace("`", "");
        String empty = without.equals(NONE) ? "" : "; empty: " + without;
        return plain.substring(0, 1).toUpperCase(Locale.ROOT) + plain.substring(1) + empty + ".";
    }
}
