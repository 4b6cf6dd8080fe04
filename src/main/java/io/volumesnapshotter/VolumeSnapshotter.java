package io.volumesnapshotter;

/** Starts the program. */
public final class VolumeSnapshotter {

    private VolumeSnapshotter() {}

    public static void main(String[] args) {}
}
