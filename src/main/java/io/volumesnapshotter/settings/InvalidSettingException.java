package io.volumesnapshotter.settings;

import java.nio.file.Path;

/**
 * A value that the program cannot work with, told in one line: where it stands, what it is, and
 * what would be right. It ends the start with exit code 78 (EX_CONFIG of sysexits.h).
 */
public final class InvalidSettingException extends IllegalArgumentException {

    private static final long serialVersionUID = 1L;

    private final String place;
    private final String value;

    /**
     * @param place the setting or file that holds the value, as the user wrote it; empty when its
     *     line says enough
     * @param value the value as it was found
     * @param remedy what would be right, as the end of a sentence
     */
    public InvalidSettingException(String place, String value, String remedy) {
        super((place.isEmpty() ? "" : place + ": ") + "\"" + value + "\" is not valid: " + remedy);
        this.place = place;
        this.value = value;
    }

    private InvalidSettingException(String where, InvalidSettingException what) {
        super(where + ": " + what.getMessage());
        this.place = what.place;
        this.value = what.value;
    }

    /** The value as it was found. */
    public String value() {
        return value;
    }

    /** The name of the setting or field that holds the value; empty when it is not known. */
    public String field() {
        return place.substring(place.lastIndexOf(' ') + 1);
    }

    /**
     * Puts a file and line before the message, unless it is about a setting of the program.
     *
     * @param line counted from 1; 0 when it is not known
     */
    public InvalidSettingException at(Path file, int line) {
        return getMessage().startsWith(Settings.PREFIX)
                ? this
                : new InvalidSettingException(file + (line > 0 ? ":" + line : ""), this);
    }
}
