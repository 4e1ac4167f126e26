#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A moment of the wall clock.
package struct EventTime: Hashable, Sendable {
    /// Since 1970.
    let seconds: Int
    let milliseconds: Int

    package init(seconds: Int, milliseconds: Int) {
        self.seconds = seconds
        self.milliseconds = milliseconds
    }

    package static var now: EventTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return EventTime(seconds: time.tv_sec, milliseconds: time.tv_nsec / 1_000_000)
    }

    /// RFC 3339 §5.6, in UTC with milliseconds.
    package var text: String {
        var seconds = time_t(seconds)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        let numbers: [(value: Int32, width: Int32, end: UInt8)] = [
            (parts.tm_year + 1_900, 1_000, UInt8(ascii: "-")), (parts.tm_mon + 1, 10, UInt8(ascii: "-")), (parts.tm_mday, 10, UInt8(ascii: "T")),
            (parts.tm_hour, 10, UInt8(ascii: ":")), (parts.tm_min, 10, UInt8(ascii: ":")), (parts.tm_sec, 10, UInt8(ascii: ".")),
            (Int32(milliseconds), 100, UInt8(ascii: "Z")),
        ]
        var text: [UInt8] = []
        text.reserveCapacity(24)
        for number in numbers {
            var digit = number.width
            while digit > 0 {
                text.append(UInt8(ascii: "0") + UInt8(number.value / digit % 10))
                digit /= 10
            }
            text.append(number.end)
        }
        return String(decoding: text, as: UTF8.self)
    }
}
