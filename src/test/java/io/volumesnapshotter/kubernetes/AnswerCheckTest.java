package io.volumesnapshotter.kubernetes;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What comes with a 200 and is no answer is not taken for one. */
class AnswerCheckTest {

    private final KubernetesSerialization json = new KubernetesSerialization();

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'kind':'Status','status':'Success'}",
                "{'kind':'ConfigMap','metadata':{'name':'data-1'}}",
                "{'kind':'VolumeSnapshot','metadata':{'name':'other'}}"
            })
    void anotherObjectIsNoAnswerToACreation(String text) {
        GenericKubernetesResource answer = parse(text, GenericKubernetesResource.class);
        assertThatThrownBy(() -> AnswerCheck.created(answer, "data-1"))
                .hasMessageContaining("instead of VolumeSnapshot data-1");
    }

    @ParameterizedTest
    @ValueSource(strings = {"{}", "{'kind':'VolumeSnapshot','metadata':{'name':'data-1'}}"})
    void theSnapshotOrTheProducersEmptyObjectIsAnAnswerToACreation(String text) {
        GenericKubernetesResource answer = parse(text, GenericKubernetesResource.class);
        assertThatCode(() -> AnswerCheck.created(answer, "data-1")).doesNotThrowAnyException();
    }

    private <T> T parse(String text, Class<T> type) {
        return json.unmarshal(text.replace('\'', '"'), type);
    }
}
