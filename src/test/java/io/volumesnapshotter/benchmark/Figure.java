package io.volumesnapshotter.benchmark;

import java.util.List;
import java.util.Locale;

/**
 * What was measured several times.
 *
 * @param name what it is; figures of two runs of the benchmark are compared by it
 * @param unit its unit, such as {@code s} or {@code MB}
 * @param moreIsBetter whether a greater one is the better one
 * @param values each time's, in that unit
 */
record Figure(String name, String unit, boolean moreIsBetter, List<Double> values) {

    /** By how much a median may be worse before it counts, as a part of it. */
    private static final double NOISE = 0.15;

    double median() {
        double[] sorted = values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    /** From the least to the greatest. */
    double range() {
        double[] sorted = values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        return sorted[sorted.length - 1] - sorted[0];
    }

    /**
     * Whether it is worse than another one by more than the noise: 15 %, or the range of either one
     * where that is more.
     */
    boolean isWorseThan(Figure other) {
        double noise = Math.max(NOISE * Math.abs(other.median()), Math.max(range(), other.range()));
        double worse = moreIsBetter ? other.median() - median() : median() - other.median();
        return worse > noise;
    }

    @Override
    public String toString() {
        double[] sorted = values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        return String.format(
                Locale.ROOT,
                "%-58s %10s %-4s %s",
                name,
                number(median()),
                unit,
                sorted.length == 1
                        ? ""
                        : number(sorted[0]) + " to " + number(sorted[sorted.length - 1]));
    }

    private static String number(double value) {
        if (value != Math.rint(value)) {
            return String.format(Locale.ROOT, value < 10 ? "%.2f" : "%.1f", value);
        }
        return String.format(Locale.ROOT, "%,d", (long) value);
    }
}
