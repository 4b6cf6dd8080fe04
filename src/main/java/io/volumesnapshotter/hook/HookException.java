package io.volumesnapshotter.hook;

/** A freeze or thaw did not work, with what to do about it. */
public final class HookException extends Exception {

    private static final long serialVersionUID = 1L;

    private final String remedy;

    /**
     * @param message why, without anything secret
     * @param remedy what to do
     */
    public HookException(String message, String remedy) {
        super(message);
        this.remedy = remedy;
    }

    String remedy() {
        return remedy;
    }
}
