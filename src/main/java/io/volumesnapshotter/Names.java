package io.volumesnapshotter;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HexFormat;
import java.util.regex.Pattern;

/**
 * The names that Kubernetes accepts, and the name that a snapshot gets.
 *
 * <p>A snapshot's name is a function of claim, schedule and scheduled fire time alone, so that a
 * request that is sent twice, a restart and a fail-over all meet the snapshot that is already there
 * instead of making a second one.
 */
public final class Names {

    /** Longest name of an object (RFC 1123 subdomain), in characters. */
    static final int MAX_NAME = 253;

    /** Longest value of a label and longest RFC 1123 label, in characters. */
    static final int MAX_LABEL = 63;

    /** Longest name of a schedule: with a dash and 14 digits it still fits into a label value. */
    static final int MAX_SCHEDULE = MAX_LABEL - 15;

    private static final String LABEL = "[a-z0-9](?:[-a-z0-9]*[a-z0-9])?";
    private static final Pattern DNS_LABEL = Pattern.compile(LABEL);
    private static final Pattern DNS_SUBDOMAIN = Pattern.compile(LABEL + "(?:\\." + LABEL + ")*");
    private static final DateTimeFormatter SECONDS =
            DateTimeFormatter.ofPattern("yyyyMMddHHmmss").withZone(ZoneOffset.UTC);

    private Names() {}

    /** Whether this can be the name of a claim, a snapshot or a snapshot class. */
    public static boolean isSubdomain(String name) {
        return name.length() <= MAX_NAME && DNS_SUBDOMAIN.matcher(name).matches();
    }

    /** Whether this can be the name of a namespace. */
    public static boolean isLabel(String name) {
        return name.length() <= MAX_LABEL && DNS_LABEL.matcher(name).matches();
    }

    /** Whether this can be the name of a schedule. */
    public static boolean isSchedule(String name) {
        return name.length() <= MAX_SCHEDULE && DNS_LABEL.matcher(name).matches();
    }

    /** The name of a run: {@code <schedule>-<yyyyMMddHHmmss>}, in UTC. */
    public static String run(String schedule, Instant fireTime) {
        return schedule + "-" + SECONDS.format(fireTime);
    }

    /** When the run of this name was due. */
    static Instant fireTime(String run) {
        return Instant.from(SECONDS.parse(run.substring(run.lastIndexOf('-') + 1)));
    }

    /**
     * The name of a run's snapshot of a claim: {@code <claim>-<schedule>-<yyyyMMddHHmmss>}, in UTC.
     *
     * <p>A hash of claim and schedule follows where the plain form could be the name of another
     * claim's snapshot (claim {@code a} in schedule {@code b-c}, claim {@code a-b} in schedule
     * {@code c}) or would be longer than 253 characters, in which case the claim's part is cut.
     */
    public static String snapshot(String claim, String schedule, Instant fireTime) {
        String end = "-" + run(schedule, fireTime);
        if (!schedule.contains("-") && claim.length() + end.length() <= MAX_NAME) {
            return claim + end;
        }
        end += "-" + hash(claim + "/" + schedule);
        int room = Math.min(claim.length(), MAX_NAME - end.length());
        // A cut must not end in a dot: ".-" is not RFC 1123.
        while (claim.charAt(room - 1) == '.') {
            room--;
        }
        return claim.substring(0, room) + end;
    }

    /** The name of a claim's Event for a schedule: the same each time for the same kind of news. */
    static String event(String claim, String schedule, String reason) {
        String end = "." + hash(claim + "/" + schedule + "/" + reason);
        int room = Math.min(claim.length(), MAX_NAME - end.length());
        while (!Character.isLetterOrDigit(claim.charAt(room - 1))) {
            room--;
        }
        return claim.substring(0, room) + end;
    }

    private static String hash(String text) {
        try {
            byte[] digest =
                    MessageDigest.getInstance("SHA-256")
                            .digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest, 0, 4);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
