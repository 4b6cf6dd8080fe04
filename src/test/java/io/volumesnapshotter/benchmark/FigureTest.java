package io.volumesnapshotter.benchmark;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class FigureTest {

    @Test
    void theMedianIsTheMiddleOne() {
        assertThat(figure(false, 3, 1, 2).median()).isEqualTo(2);
        assertThat(figure(false, 4, 1, 2, 3).median()).isEqualTo(2.5);
    }

    @Test
    void aLittleMoreIsNoise() {
        assertThat(figure(false, 114).isWorseThan(figure(false, 100))).isFalse();
        assertThat(figure(false, 116).isWorseThan(figure(false, 100))).isTrue();
    }

    @Test
    void whatVariesByMoreIsNoiseToo() {
        assertThat(figure(false, 110, 130, 150).isWorseThan(figure(false, 100))).isFalse();
        assertThat(figure(false, 130).isWorseThan(figure(false, 80, 100, 120))).isFalse();
        assertThat(figure(false, 150).isWorseThan(figure(false, 80, 100, 120))).isTrue();
    }

    @Test
    void betterIsNeverWorse() {
        assertThat(figure(false, 10).isWorseThan(figure(false, 100))).isFalse();
        assertThat(figure(true, 100).isWorseThan(figure(true, 10))).isFalse();
        assertThat(figure(true, 10).isWorseThan(figure(true, 100))).isTrue();
    }

    private static Figure figure(boolean moreIsBetter, double... values) {
        return new Figure("figure", "s", moreIsBetter, Arrays.stream(values).boxed().toList());
    }
}
