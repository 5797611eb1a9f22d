CREATE TABLE predictions (
    id uuid PRIMARY KEY,
    time timestamptz NOT NULL,
    model_version text NOT NULL,
    features double precision[] NOT NULL,
    class_index integer NOT NULL,
    class_name text NOT NULL,
    probabilities double precision[] NOT NULL,
    latency_ms double precision NOT NULL
);

-- GET /predictions pages newest first; the id breaks ties, so that no page skips or repeats a row.
CREATE INDEX predictions_newest_first ON predictions (time DESC, id DESC);
