package io.volumesnapshotter.command;

/** What all commands end with. The numbers from 64 on are those of sysexits.h. */
public final class ExitCode {

    /** All was done. */
    public static final int OK = 0;

    /** Nothing succeeded. */
    public static final int NOTHING = 1;

    /** The arguments are wrong; nothing was begun. */
    public static final int USAGE = 2;

    /** Some of it failed. */
    public static final int SOME = 3;

    /** EX_TEMPFAIL: the API server or storage is away or late; the same may succeed later. */
    public static final int AGAIN = 75;

    /** EX_CONFIG: a setting, a route file or the kubeconfig is wrong. */
    public static final int CONFIG = 78;

    /** Ended by Ctrl-C or by a signal to end. */
    public static final int INTERRUPTED = 130;

    private ExitCode() {}

    /**
     * The code of something that was done for several things.
     *
     * @param succeeded for how many it was done
     * @param failed for how many it failed
     * @param again whether all that failed may succeed later without a change
     */
    public static int of(int succeeded, int failed, boolean again) {
        if (failed == 0) {
            return OK;
        }
        if (succeeded > 0) {
            return SOME;
        }
        return again ? AGAIN : NOTHING;
    }
}
