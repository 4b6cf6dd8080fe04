package io.volumesnapshotter.snapshot;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;

/**
 * What pins a snapshot. A hold with an end ends by itself then; one whose end cannot be read as a
 * time does not end.
 *
 * @param isSet whether one of its annotations is there and pins
 * @param until the text of when it ends, in RFC 3339, or null for never
 * @param reason why it is held, in the words of whoever holds it, or null
 */
public record Hold(boolean isSet, String until, String reason) {

    /** The annotation that pins a snapshot, by any value but {@code false}. */
    public static final String HOLD = "volume-snapshotter/hold";

    /** The annotation that says when the hold ends, in RFC 3339; it pins by itself. */
    public static final String UNTIL = "volume-snapshotter/hold-until";

    /** The annotation that says why. */
    public static final String REASON = "volume-snapshotter/hold-reason";

    /** No hold. */
    public static final Hold NONE = new Hold(false, null, null);

    /** A hold that does not end by itself. */
    public static final Hold UNLIMITED = new Hold(true, null, null);

    /**
     * Reads it.
     *
     * @param hold the annotation {@value #HOLD}, or null
     * @param until the annotation {@value #UNTIL}, or null
     * @param reason the annotation {@value #REASON}, or null
     */
    public static Hold of(String hold, String until, String reason) {
        boolean isSet = until != null || hold != null && !hold.equals("false");
        return isSet ? new Hold(true, until, reason) : NONE;
    }

    /** When it ends; null for one that does not. */
    public Instant end() {
        try {
            return until == null ? null : OffsetDateTime.parse(until).toInstant();
        } catch (DateTimeException e) {
            return null;
        }
    }

    /** Whether it pins at an instant. */
    public boolean isAt(Instant now) {
        Instant end = end();
        return isSet && (end == null || now.isBefore(end));
    }

    /** It in words, as the reason why a snapshot stays. */
    String words() {
        if (until == null) {
            return "held";
        }
        return end() == null ? "held: hold-until is not a time" : "held until " + end();
    }
}
