import HubCodec
public import HubModel

/// Moments as texts, for drivers whose applications tell them so (RFC 3339).
public enum MomentText {
    /// The moment of a text like `2018-04-05T03:56:24.25+02:00`; nil for anything else. Fractions past milliseconds are cut.
    public static func instant(_ text: String) -> Instant? { Instant(rfc3339: text) }

    /// In UTC, `2018-04-05T03:56:24Z`, with three decimals where it is no whole second.
    public static func text(_ instant: Instant) -> String { instant.rfc3339Text }
}
