package io.volumesnapshotter;

import java.nio.file.Path;

/**
 * A value that the program cannot work with, told in one line: where it stands, what it is, and
 * what would be right. It ends the start with exit code 78 (EX_CONFIG of sysexits.h).
 */
public final class InvalidSettingException extends IllegalArgumentException {

    private static final long serialVersionUID = 1L;

    /**
     * @param place the setting or file that holds the value, as the user wrote it
     * @param value the value as it was found
     * @param remedy what would be right, as the end of a sentence
     */
    public InvalidSettingException(String place, String value, String remedy) {
        super(place + ": \"" + value + "\" is not valid: " + remedy);
    }

    private InvalidSettingException(String message) {
        super(message);
    }

    /** The same, told with the file in which it stands, unless it is a setting of the program. */
    InvalidSettingException in(Path file) {
        return getMessage().startsWith(Settings.PREFIX)
                ? this
                : new InvalidSettingException(file + ": " + getMessage());
    }
}
