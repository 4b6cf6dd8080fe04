package io.volumesnapshotter.drill;

import io.volumesnapshotter.restore.RestrictedPod;
import io.volumesnapshotter.settings.DrillSettings;
import java.time.Duration;
import java.util.List;

/**
 * What a pod does to see that restored data is good.
 *
 * @param image an image with a shell at {@code /bin/sh}
 * @param script what the shell runs; the data is at {@value RestrictedPod#MOUNT}
 * @param user the uid that it runs as
 * @param limit how long it may take
 */
public record Check(String image, String script, long user, Duration limit) {

    /** Small, and has a shell, find and cat. */
    public static final String IMAGE = DrillSettings.DEFAULT_IMAGE;

    /** Reads each file to its end. No file at all is a failure: an empty volume proves nothing. */
    public static final String SCRIPT =
            """
            cd /data || exit 1
            find . -name lost+found -prune -o -type f -print > /dev/null || exit 1
            files=$(find . -name lost+found -prune -o -type f -print | wc -l)
            find . -name lost+found -prune -o -type f -print0 | xargs -0 cat > /dev/null || exit 1
            echo "$files files read, $(du -sk . | cut -f1) KiB"
            [ "$files" -gt 0 ] || { echo "there is no file"; exit 1; }
            """;

    private static final String MARK = "volume-snapshotter-check-ended";

    /**
     * The command that runs it. Its last line says that the script has come to its end, in this pod
     * and in no other.
     *
     * @param nonce tells this pod from others
     */
    List<String> command(String nonce) {
        return List.of(
                "/bin/sh",
                "-c",
                "/bin/sh -c \"$0\"; code=$?; echo \"" + MARK + " $1 $code\"; exit $code",
                script,
                nonce);
    }

    /** The line with which it ends well. */
    static String ended(String nonce) {
        return MARK + " " + nonce + " 0";
    }

    /** Whether a line is one that the command itself writes. */
    static boolean isMark(String line) {
        return line.startsWith(MARK + " ");
    }
}
