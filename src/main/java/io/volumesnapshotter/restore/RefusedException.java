package io.volumesnapshotter.restore;

/** Something that was asked for is not done, and nothing was changed for it. */
public final class RefusedException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final String remedy;

    /**
     * @param words what is not done, and why
     * @param remedy what to do about it
     */
    public RefusedException(String words, String remedy) {
        super(words);
        this.remedy = remedy;
    }

    /** What to do about it. */
    public String remedy() {
        return remedy;
    }
}
