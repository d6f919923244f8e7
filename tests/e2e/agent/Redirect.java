import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.instrument.ClassFileTransformer;
import java.lang.instrument.Instrumentation;
import java.net.InetAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.ProtectionDomain;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Sends signal-cli to a mock of the Signal service on loopback, and nowhere else.
 *
 * <p>{@code -javaagent:redirect.jar=FILE}; FILE is a properties file that names the mock. While the
 * classes that hold them load, the addresses, the trust store and the server's public parameters
 * in their constant pools are replaced. Nothing of signal-cli is copied. Whatever is not exactly
 * as expected ends the JVM: without the redirection it would call the real service.
 */
public final class Redirect implements ClassFileTransformer {

    private static final String CONFIG = "org/asamk/signal/manager/config/";
    private static final String LIVE = CONFIG + "LiveConfig";
    private static final String TRUST = CONFIG + "WhisperTrustStore";
    private static final String LIBSIGNAL_NET = "org/signal/libsignal/net/";
    private static final String NETWORK = LIBSIGNAL_NET + "Network";
    private static final String LOOKUP = LIBSIGNAL_NET + "CdsiLookup";

    /** Another service's addresses. */
    private static final String STAGING = CONFIG + "StagingConfig";

    /**
     * What may load of libsignal's own network code: what connects to nothing. Its native sockets go
     * where no address here can send them, so everything else in that package ends the JVM when it
     * is about to be used, also what does not exist yet. signal-cli chats through it from 0.13.20 on.
     */
    private static final Pattern CONNECTS_TO_NOTHING = Pattern.compile(
            "(Network|CdsiLookupRe(quest|sponse)|LoopbackLookup|\\w+(Exception|Error))(\\$.*)?"
                    + "|internal/ConnectChatBridge");

    private static final Pattern ADDRESS = Pattern.compile("[a-z]+://[^\\s\"]*");

    /** Class, then constant, then what replaces it. */
    private final Map<String, Map<String, String>> wanted = new HashMap<>();
    private final Set<String> done = new HashSet<>();

    public static void premain(String file, Instrumentation instrumentation) {
        try {
            Redirect redirect = new Redirect(read(file));
            instrumentation.addTransformer(redirect);
            for (Class<?> early : instrumentation.getAllLoadedClasses()) {
                refuse(early.getName().replace('.', '/'));
            }
            redirect.loadEverything();
        } catch (Throwable problem) {
            halt(problem.toString());
        }
    }

    private Redirect(Properties mock) throws IOException {
        String service = loopback(mock.getProperty("service"));
        Map<String, String> live = new HashMap<>();
        live.put("https://chat.signal.org", service);
        live.put("https://cdn.signal.org", service + "/cdn0");
        live.put("https://cdn2.signal.org", service + "/cdn2");
        live.put("https://cdn3.signal.org", service + "/cdn3");
        live.put("https://storage.signal.org", service + "/storage");
        live.put("https://cdsi.signal.org", service + "/cdsi");
        live.put("https://svr2.signal.org", service + "/svr2");
        live.put("BXu6QIKVz5MA8gstzfOgRQGqyLqOwNKHL6INkv3IHWMF", mock.getProperty("trustRoot"));
        live.put("=AMhf5ywVwITZMsff", mock.getProperty("serverParams"));
        live.put("=AByD873dTilmOSG0", mock.getProperty("genericParams"));
        live.put("=AJwNSU55fsFCbgax", mock.getProperty("backupParams"));
        wanted.put(LIVE, live);
        wanted.put(TRUST, Map.of("whisper.store", "/mock.store"));
        // The second is a connection that Network opens with no class of its own: no such method.
        wanted.put(NETWORK, Map.of(
                LOOKUP, LIBSIGNAL_NET + "LoopbackLookup",
                "AuthenticatedChatConnection_preconnect", "notToTheRealService"));
        System.setProperty("mock.directory", loopback(mock.getProperty("directory")));
    }

    private static Properties read(String file) throws IOException {
        Properties properties = new Properties();
        try (var reader = Files.newBufferedReader(Path.of(file))) {
            properties.load(reader);
        }
        return properties;
    }

    /** The classes are loaded here and now, so that it is known before main() that all is done. */
    private void loadEverything() throws ClassNotFoundException {
        for (String name : wanted.keySet()) {
            Class.forName(name.replace('/', '.'), false, ClassLoader.getSystemClassLoader());
        }
        if (!done.equals(wanted.keySet())) {
            halt("changed only " + done + " of " + wanted.keySet());
        }
    }

    @Override
    public byte[] transform(
            ClassLoader loader, String name, Class<?> old, ProtectionDomain domain, byte[] code) {
        try {
            refuse(name);
            Map<String, String> changes = wanted.get(name);
            if (changes == null) {
                return null;
            }
            byte[] changed = rewrite(code, name, changes);
            done.add(name);
            return changed;
        } catch (Throwable problem) {
            halt(name + ": " + problem);
            return null;
        }
    }

    /** Ends the JVM for a class that would reach the real service by a way of its own. */
    private static void refuse(String name) {
        boolean connects = name.startsWith(LIBSIGNAL_NET)
                && !CONNECTS_TO_NOTHING.matcher(name.substring(LIBSIGNAL_NET.length())).matches();
        if (connects || name.equals(STAGING)) {
            halt(name + " must not be used");
        }
    }

    /** Copies the class file with other texts in its constant pool (JVM specification, 4.4). */
    private static byte[] rewrite(byte[] code, String name, Map<String, String> changes)
            throws IOException {
        DataInputStream in = new DataInputStream(new ByteArrayInputStream(code));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        Set<String> missing = new HashSet<>(changes.keySet());
        out.writeLong(in.readLong()); // magic, minor and major version
        int count = in.readUnsignedShort();
        out.writeShort(count);
        for (int index = 1; index < count; index++) {
            int tag = in.readUnsignedByte();
            out.writeByte(tag);
            switch (tag) {
                case 1 -> out.writeUTF(changed(in.readUTF(), changes, missing));
                case 7, 8, 16, 19, 20 -> out.writeShort(in.readShort());
                case 15 -> { out.writeByte(in.readByte()); out.writeShort(in.readShort()); }
                case 3, 4, 9, 10, 11, 12, 17, 18 -> out.writeInt(in.readInt());
                case 5, 6 -> { out.writeLong(in.readLong()); index++; } // takes two places
                default -> throw new IOException("constant of an unknown kind: " + tag);
            }
        }
        in.transferTo(out);
        if (!missing.isEmpty()) {
            throw new IOException("has no constant " + missing);
        }
        return bytes.toByteArray();
    }

    private static String changed(String text, Map<String, String> changes, Set<String> missing)
            throws IOException {
        String result = text;
        for (Map.Entry<String, String> change : changes.entrySet()) {
            String key = change.getKey();
            boolean isStart = key.startsWith("=");
            if (isStart ? text.startsWith(key.substring(1)) : isWhole(text, key)) {
                missing.remove(key);
                result = isStart ? change.getValue() : text.replace(key, change.getValue());
            }
        }
        Matcher addresses = ADDRESS.matcher(result);
        while (addresses.find()) {
            loopback(addresses.group());
        }
        return result;
    }

    /** The constant itself; a class's name also within a descriptor or a generic signature. */
    private static boolean isWhole(String text, String key) {
        return text.equals(key) || text.contains("L" + key + ";");
    }

    private static String loopback(String address) throws IOException {
        String host = address == null ? null : URI.create(address).getHost();
        boolean literal = host != null && host.matches("[0-9.]+|\\[[0-9a-f:]+\\]");
        if (!literal || !InetAddress.getByName(host).isLoopbackAddress()) {
            throw new IOException(address + " is not loopback");
        }
        return address;
    }

    private static void halt(String why) {
        System.err.println("redirect: " + why + ". Stopping, so that nobody calls Signal.");
        System.err.flush();
        Runtime.getRuntime().halt(70);
    }
}
