package org.signal.libsignal.net;

import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.signal.libsignal.internal.CompletableFuture;
import org.signal.libsignal.protocol.ServiceId;

/**
 * Contact discovery, asked of the mock over plain HTTP on loopback. The real one speaks to an SGX
 * enclave in native code. Stands in this package because the answer's constructor is its own.
 */
public final class LoopbackLookup {

    private final CdsiLookupResponse response;

    private LoopbackLookup(CdsiLookupResponse response) {
        this.response = response;
    }

    /** Called by Network in place of the real lookup. */
    public static CompletableFuture<LoopbackLookup> start(
            Network network, String username, String password, CdsiLookupRequest request)
            throws IOException {
        Set<String> numbers = new HashSet<>(request.previousE164s);
        numbers.addAll(request.newE164s);
        return CompletableFuture.completedFuture(new LoopbackLookup(ask(numbers)));
    }

    public byte[] getToken() {
        return new byte[] {1};
    }

    public CompletableFuture<CdsiLookupResponse> complete() {
        return CompletableFuture.completedFuture(response);
    }

    /** Numbers go out one a line; `number aci pni` comes back for each that is registered. */
    private static CdsiLookupResponse ask(Set<String> numbers) throws IOException {
        var address = URI.create(System.getProperty("mock.directory")).toURL();
        HttpURLConnection connection = (HttpURLConnection) address.openConnection();
        connection.setDoOutput(true);
        connection.getOutputStream().write(String.join("\n", numbers).getBytes(StandardCharsets.UTF_8));
        Map<String, CdsiLookupResponse.Entry> entries = new HashMap<>();
        String answer = new String(connection.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        for (String line : answer.lines().toList()) {
            String[] words = line.split(" ");
            entries.put(words[0], new CdsiLookupResponse.Entry(
                    new ServiceId.Aci(UUID.fromString(words[1])),
                    new ServiceId.Pni(UUID.fromString(words[2]))));
        }
        return new CdsiLookupResponse(entries, numbers.size());
    }
}
