package io.volumesnapshotter.restore;

import io.fabric8.kubernetes.api.model.Quantity;
import java.math.BigDecimal;
import java.util.Optional;

/**
 * A size of storage.
 *
 * @param text as the API writes it, such as {@code 10Gi}
 * @param bytes the same in bytes
 */
public record Size(String text, BigDecimal bytes) implements Comparable<Size> {

    /** Reads a size; empty for none, and for what is no size. */
    public static Optional<Size> read(String text) {
        if (text == null || text.isBlank()) {
            return Optional.empty();
        }
        try {
            BigDecimal bytes = Quantity.getAmountInBytes(new Quantity(text.strip()));
            return bytes == null || bytes.signum() < 0
                    ? Optional.empty()
                    : Optional.of(new Size(text.strip(), bytes));
        } catch (ArithmeticException | IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    boolean isZero() {
        return bytes.signum() == 0;
    }

    @Override
    public int compareTo(Size other) {
        return bytes.compareTo(other.bytes);
    }

    @Override
    public String toString() {
        return text;
    }
}
