package bank.connect;

import java.util.IdentityHashMap;
import java.util.Map;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Range;
import org.apache.kafka.common.config.ConfigDef.Type;
import org.apache.kafka.common.config.types.Password;
import org.apache.kafka.connect.connector.ConnectRecord;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.transforms.Transformation;

/**
 * Makes Debezium's change envelopes say what the source's row holds, and nothing else.
 *
 * <p>Columns lose their defaults and become optional: the converter gives a null field its schema's default, so a NULL
 * would arrive as another value. A column whose value the source did not send is null and named in the envelope's
 * {@code unavailable}, a JSON list; one that makes the record larger than a broker takes is null and named in
 * {@code not_carried}, a JSON object of column and reason. {@code before} is empty: with the default replica identity
 * its values are made up. Keys stay as they are: another key schema would be another key, on another partition.
 */
public class ChangeEnvelope<R extends ConnectRecord<R>> implements Transformation<R> {
    static final String UNAVAILABLE = "unavailable";
    static final String NOT_CARRIED = "not_carried";
    private static final String PLACEHOLDER = "placeholder";
    private static final String MAX_BYTES = "max.bytes";
    private static final ConfigDef CONFIG = new ConfigDef()
            .define(PLACEHOLDER, Type.PASSWORD, Importance.HIGH, "The connector's unavailable.value.placeholder.")
            .define(MAX_BYTES, Type.INT, 15 * 1024 * 1024, Range.atLeast(1024), Importance.MEDIUM,
                    "Bytes that the values of a row may have together; beyond it the largest are left out.");
    /** Debezium keeps one schema object per table and version; far more tables than that are a leak of ours. */
    private static final int KNOWN_SCHEMAS = 10_000;

    private final Map<Schema, Envelope> envelopes = new IdentityHashMap<>();
    private Placeholder placeholder;
    private int maxBytes;

    @Override
    public void configure(Map<String, ?> settings) {
        Map<String, Object> parsed = CONFIG.parse(settings);
        placeholder = new Placeholder(((Password) parsed.get(PLACEHOLDER)).value());
        maxBytes = (Integer) parsed.get(MAX_BYTES);
    }

    @Override
    public R apply(R record) {
        if (!(record.value() instanceof Struct value) || !isEnvelope(value.schema())) {
            return record;
        }
        Envelope envelope = envelopes.get(value.schema());
        if (envelope == null) {
            if (envelopes.size() >= KNOWN_SCHEMAS) {
                envelopes.clear();
            }
            envelope = new Envelope(value.schema());
            envelopes.put(value.schema(), envelope);
        }
        Struct carried = envelope.of(value, placeholder, maxBytes);
        return record.newRecord(record.topic(), record.kafkaPartition(), record.keySchema(), record.key(),
                carried.schema(), carried, record.timestamp(), record.headers());
    }

    @Override
    public ConfigDef config() {
        return CONFIG;
    }

    @Override
    public void close() {
        envelopes.clear();
    }

    private static boolean isEnvelope(Schema schema) {
        return schema.name() != null && schema.name().endsWith(".Envelope") && schema.field("after") != null;
    }

    /** One version of a table's envelope: its schema as Debezium makes it, and as it is carried. */
    private static final class Envelope {
        private final Schema schema;
        private final Row row;

        Envelope(Schema source) {
            row = new Row(source.field("after").schema());
            SchemaBuilder builder = SchemaBuilder.struct().name(source.name()).version(source.version());
            for (Field field : source.fields()) {
                boolean image = field.name().equals("before") || field.name().equals("after");
                builder.field(field.name(), image ? row.schema : field.schema());
            }
            schema = builder.field(UNAVAILABLE, Schema.OPTIONAL_STRING_SCHEMA)
                    .field(NOT_CARRIED, Schema.OPTIONAL_STRING_SCHEMA).build();
        }

        Struct of(Struct source, Placeholder placeholder, int maxBytes) {
            Struct carried = new Struct(schema);
            for (Field field : source.schema().fields()) {
                if (field.name().equals("after")) {
                    Struct after = source.getStruct("after");
                    if (after != null) {
                        row.copy(after, carried, placeholder, maxBytes);
                    }
                } else if (!field.name().equals("before")) {
                    carried.put(field.name(), source.getWithoutDefault(field.name()));
                }
            }
            return carried;
        }
    }
}
