import HubCodec
import HubModel
import Testing

@Suite struct EnvelopeTimeTests {
    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("2018-04-05T03:56:24Z", 1_522_900_584_000), ("2018-04-05t05:56:24.25+02:00", 1_522_900_584_250),
            ("2018-04-05 03:56:24.9999z", 1_522_900_584_999), ("1969-12-31T23:59:59.5Z", -500), ("2016-12-31T23:59:60Z", 1_483_228_800_000),
            ("2016-12-31T23:59:60.5Z", 1_483_228_800_000), ("2000-02-29T12:00:00-00:30", 951_827_400_000),
            ("0000-01-01T00:00:00Z", -62_167_219_200_000),
        ] as [(String, Int64)])
    func timesAreRead(text: String, milliseconds: Int64) {
        #expect(Instant(rfc3339: text)?.milliseconds == milliseconds)
    }

    @Test(arguments: [
        "", "2018-04-05", "2018-04-05T03:56:24", "2018-02-29T00:00:00Z", "2018-13-01T00:00:00Z", "2018-04-05T24:00:00Z",
        "2018-04-05T03:56:61Z",
        "2018-04-05T03:56:24.Z", "2018-04-05T03:56:24+2:00", "2018-04-05T03:56:24Z ", "2018-4-5T03:56:24Z", "٢018-04-05T03:56:24Z",
        "-018-04-05T03:56:24Z",
    ])
    func otherTextsAreRefused(text: String) {
        #expect(Instant(rfc3339: text) == nil)
    }

    @Test func timesAreWritten() {
        #expect(Instant(milliseconds: 0).rfc3339Text == "1970-01-01T00:00:00Z")
        #expect(Instant(milliseconds: -1).rfc3339Text == "1969-12-31T23:59:59.999Z")
        #expect(Instant(milliseconds: 1_522_900_584_050).rfc3339Text == "2018-04-05T03:56:24.050Z")
        #expect(Instant(milliseconds: .max).rfc3339Text == "9999-12-31T23:59:59.999Z")
        #expect(Instant(milliseconds: .min).rfc3339Text == "0000-01-01T00:00:00Z")
        var random = ByteMutator(seed: 7)
        for _ in 0..<2000 {
            let instant = Instant(milliseconds: Int64(random.next() % 253_402_300_799_999) - 62_167_219_200_000)
            #expect(Instant(rfc3339: instant.rfc3339Text) == instant)
        }
    }
}
