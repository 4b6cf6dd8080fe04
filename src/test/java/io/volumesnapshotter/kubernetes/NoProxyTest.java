package io.volumesnapshotter.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** NO_PROXY by the rules of Go's net/http. */
class NoProxyTest {

    @ParameterizedTest(name = "{0} excepts {1}:{2}: {3}")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    ''                            | api.corp.test | 6443 | false
                    api.corp.test                 | api.corp.test | 6443 | true
                    corp.test                     | api.corp.test | 6443 | true
                    orp.test                      | api.corp.test | 6443 | false
                    .corp.test                    | api.corp.test | 6443 | true
                    .corp.test                    | corp.test     | 6443 | false
                    *.corp.test                   | api.corp.test | 6443 | true
                    *.corp.test                   | corp.test     | 6443 | false
                    'a.test, corp.test ,b.test'   | api.corp.test | 6443 | true
                    ' , ,, '                      | api.corp.test | 6443 | false
                    CORP.test                     | api.Corp.TEST | 6443 | true
                    api.corp.test:6443            | api.corp.test | 6443 | true
                    api.corp.test:443             | api.corp.test | 6443 | false
                    .corp.test:6443               | api.corp.test | 6443 | true
                    '*'                           | api.corp.test | 6443 | true
                    'a.test,*'                    | 10.0.0.1      | 6443 | true
                    *corp.test                    | api.corp.test | 6443 | false
                    bücher.test                   | xn--bcher-kva.test | 443 | true
                    10.0.0.1                      | 10.0.0.1      | 6443 | true
                    10.0.0.1:6443                 | 10.0.0.1      | 6443 | true
                    10.0.0.1:443                  | 10.0.0.1      | 6443 | false
                    10.0.0.0/8                    | 10.255.0.1    | 6443 | true
                    10.0.0.0/8                    | 11.0.0.1      | 6443 | false
                    10.0.0.128/25                 | 10.0.0.127    | 6443 | false
                    10.0.0.128/25                 | 10.0.0.200    | 6443 | true
                    10.0.0.0/33                   | 10.0.0.1      | 6443 | false
                    10.0.0.0/x                    | 10.0.0.1      | 6443 | false
                    0.0.0.0/0                     | 10.0.0.1      | 6443 | true
                    10.0.0                        | 10.0.0.1      | 6443 | false
                    0.0.1                         | 10.0.0.1      | 6443 | false
                    .0.0.1                        | 10.0.0.1      | 6443 | false
                    10.0.0.0/8                    | api.corp.test | 6443 | false
                    fd00::1                       | fd00::1       | 6443 | true
                    fd00:0:0::0:1                 | fd00::1       | 6443 | true
                    FD00::1                       | fd00::1       | 6443 | true
                    [fd00::1]                     | fd00::1       | 6443 | true
                    [fd00::1]:6443                | fd00::1       | 6443 | true
                    [fd00::1]:443                 | fd00::1       | 6443 | false
                    fd00::/8                      | fd12::1       | 6443 | true
                    fd00::1/128                   | fd00::1       | 6443 | true
                    fd00::1/128                   | fd00::2       | 6443 | false
                    fd00::/8                      | 10.0.0.1      | 6443 | false
                    ::1/128                       | fd00::1       | 6443 | false
                    [::1]                         | fd00::1       | 6443 | false
                    ':'                           | fd00::1       | 6443 | false
                    '[]'                          | fd00::1       | 6443 | false
                    '[:6443'                      | fd00::1       | 6443 | false
                    ':6443'                       | api.corp.test | 6443 | false
                    '.'                           | api.corp.test | 6443 | false
                    '*.'                          | api.corp.test | 6443 | false
                    ''                            | localhost     | 6443 | true
                    ''                            | 127.0.0.1     | 6443 | true
                    ''                            | 127.8.8.8     | 6443 | true
                    ''                            | ::1           | 6443 | true
                    ''                            | localhost.test | 6443 | false
                    """)
    void excepts(String noProxy, String host, int port, boolean excepted) {
        assertThat(NoProxy.excepts(noProxy, host, port)).isEqualTo(excepted);
    }
}
