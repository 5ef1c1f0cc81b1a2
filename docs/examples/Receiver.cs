// A city's receiver in C#, for .NET 6 or later and for Mono, with nothing to install. Read it, change it, keep it.
//
//   mcs -out:Receiver.exe Receiver.cs          (or: dotnet new console, and this file for Program.cs)
//   AVAREZ_CITY=MASHHAD AVAREZ_SECRETS="whsec_…" AVAREZ_BOOKS=events.jsonl mono Receiver.exe 9000
//   AVAREZ_CITY=MASHHAD AVAREZ_BOOKS=events.jsonl mono Receiver.exe balance
//
// With AVAREZ_ORIGIN, AVAREZ_USERNAME and AVAREZ_PASSWORD, what was lost is fetched. It listens on 127.0.0.1: before it
// stands your web server, with your name and certificate. The books are a file with an event a line; a table of your
// database will do as well.
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using System.Threading;

static class Receiver
{
    const int ToleranceS = 300, BodyBytesMax = 256 * 1024, PullTimeoutMs = 10000;
    static readonly string City = Setting("CITY"), Origin = Setting("ORIGIN");
    static readonly UTF8Encoding Utf8 = new UTF8Encoding(false, true);
    static readonly object OneAtATime = new object();
    static readonly List<string> Hashes = new List<string> { new string('0', 64) }; // by place; before the first: zeros
    static FileStream books;

    static string Setting(string name)
    {
        return Environment.GetEnvironmentVariable("AVAREZ_" + name) ?? "";
    }

    // 1. Who speaks? Over the bytes as they came, before anything of them is read.
    static bool SignatureIsGood(HttpListenerRequest request, byte[] body)
    {
        string id = request.Headers["webhook-id"] ?? "", seconds = request.Headers["webhook-timestamp"] ?? "";
        if (!Regex.IsMatch(id, @"\A[A-Za-z0-9_-]{1,255}\z") || !Regex.IsMatch(seconds, @"\A[0-9]{10}\z")) return false;
        long now = (long)(DateTime.UtcNow - new DateTime(1970, 1, 1)).TotalSeconds;
        if (Math.Abs(now - long.Parse(seconds, CultureInfo.InvariantCulture)) > ToleranceS) return false;
        string[] given = (request.Headers["webhook-signature"] ?? "").Split(' ');
        byte[] signed = Utf8.GetBytes(id + "." + seconds + ".").Concat(body).ToArray();
        bool good = false;
        foreach (string secret in Setting("SECRETS").Split(new[] { ' ', '\n' }, StringSplitOptions.RemoveEmptyEntries))
            using (var mac = new HMACSHA256(Convert.FromBase64String(secret.Substring("whsec_".Length))))
            {
                string expected = "v1," + Convert.ToBase64String(mac.ComputeHash(signed));
                foreach (string one in given) good |= Same(expected, one);
            }
        return good;
    }

    static bool Same(string expected, string given) // in a time that does not tell where they differ
    {
        int differs = expected.Length ^ given.Length;
        for (int at = 0; at < expected.Length && at < given.Length; at++) differs |= expected[at] ^ given[at];
        return differs == 0;
    }

    // 2. Is the event what its hash says?
    static string HashOf(SortedDictionary<string, object> data)
    {
        var content = new SortedDictionary<string, object>(data, StringComparer.Ordinal);
        content.Remove("hash");
        using (var sha = SHA256.Create())
            return string.Concat(sha.ComputeHash(Utf8.GetBytes(Json.Canonical(content))).Select(one => one.ToString("x2")));
    }

    // 3. In its place, once; the status to answer. What is answered with 200 is on the disk.
    static int Take(SortedDictionary<string, object> data)
    {
        if (Text(data, "municipality") != City || !(data["sequence"] is long) || HashOf(data) != Text(data, "hash")) return 422;
        long sequence = (long)data["sequence"], head = Hashes.Count - 1;
        if (sequence < 1) return 422;
        if (sequence <= head) return Hashes[(int)sequence] == Text(data, "hash") ? 200 : 409;
        if (sequence > head + 1) return 503; // something before it is missing
        if (Text(data, "previous_hash") != Hashes[(int)head]) return 409; // call us: your books and ours differ
        byte[] line = Utf8.GetBytes(Json.Canonical(data) + "\n");
        books.Write(line, 0, line.Length);
        books.Flush(true);
        Hashes.Add(Text(data, "hash"));
        return 200;
    }

    static string Text(SortedDictionary<string, object> data, string name)
    {
        object value;
        return data.TryGetValue(name, out value) ? value as string : null;
    }

    // 4. What was lost: the same events by pull, from where the books end.
    static void Pull()
    {
        string account = Json.Canonical(new SortedDictionary<string, object> {
            { "username", Setting("USERNAME") }, { "password", Setting("PASSWORD") } });
        string token = Text(Call("/v1/tokens", account, ""), "access_token");
        while (true)
        {
            string path = "/v1/municipalities/" + City + "/events?limit=500&after=" + (Hashes.Count - 1);
            var events = (List<object>)Call(path, null, token)["events"];
            foreach (SortedDictionary<string, object> one in events)
                if (Take((SortedDictionary<string, object>)one["data"]) != 200) return;
            if (events.Count == 0) return;
        }
    }

    static SortedDictionary<string, object> Call(string path, string body, string token)
    {
        var request = (HttpWebRequest)WebRequest.Create(Origin + path);
        request.Timeout = request.ReadWriteTimeout = PullTimeoutMs;
        request.Headers["authorization"] = "Bearer " + token;
        if (body != null)
        {
            request.Method = "POST";
            request.ContentType = "application/json";
            byte[] sent = Utf8.GetBytes(body);
            request.ContentLength = sent.Length;
            using (Stream stream = request.GetRequestStream()) stream.Write(sent, 0, sent.Length);
        }
        using (WebResponse answer = request.GetResponse())
        using (var read = new StreamReader(answer.GetResponseStream(), Utf8))
            return (SortedDictionary<string, object>)new Json(read.ReadToEnd()).Whole();
    }

    static int Answer(HttpListenerRequest request, out string told)
    {
        told = "{}";
        if (request.HttpMethod != "POST") return 405;
        if (request.ContentLength64 < 0) return 411;
        if (request.ContentLength64 > BodyBytesMax) return 413;
        var buffer = new MemoryStream();
        request.InputStream.CopyTo(buffer);
        byte[] body = buffer.ToArray();
        if (!SignatureIsGood(request, body)) return 401;
        if ((request.ContentType ?? "").Split(';')[0].Trim().ToLowerInvariant() != "application/json") return 415;
        try
        {
            var message = (SortedDictionary<string, object>)new Json(Utf8.GetString(body)).Whole();
            var data = (SortedDictionary<string, object>)message["data"];
            if (Text(message, "type") == "endpoint.challenge")
            {
                told = Json.Canonical(new SortedDictionary<string, object> { { "challenge", Text(data, "challenge") } });
                return 200;
            }
            if (!data.ContainsKey("sequence")) return 200; // a test message, or something new that is no event
            lock (OneAtATime)
            {
                int status = Take(data);
                if (status != 503 || Origin == "") return status;
                try { Pull(); }
                catch (Exception error)
                {
                    if (!(error is WebException || error is IOException || Unreadable(error))) throw;
                    Console.Error.WriteLine("not fetched: " + error.Message);
                }
                return Take(data);
            }
        }
        catch (Exception error)
        {
            if (!Unreadable(error)) throw;
            return 422;
        }
    }

    static bool Unreadable(Exception error)
    {
        return error is FormatException || error is InvalidCastException || error is KeyNotFoundException
            || error is ArgumentException || error is OverflowException;
    }

    static IEnumerable<SortedDictionary<string, object>> Kept()
    {
        return File.ReadLines(Setting("BOOKS"), Utf8).Select(line => (SortedDictionary<string, object>)new Json(line).Whole());
    }

    // The ledger, from the events alone: debits and credits of each account, in rial.
    static void Balance()
    {
        var accounts = new SortedDictionary<string, long[]>(StringComparer.Ordinal);
        foreach (var data in Kept())
        {
            object entry;
            if (!data.TryGetValue("entry", out entry)) continue;
            foreach (SortedDictionary<string, object> one in (List<object>)((SortedDictionary<string, object>)entry)["postings"])
            {
                string account = Text(one, "account");
                if (!accounts.ContainsKey(account)) accounts[account] = new long[2];
                accounts[account][0] += long.Parse(Text(one, "debit_rial"), CultureInfo.InvariantCulture);
                accounts[account][1] += long.Parse(Text(one, "credit_rial"), CultureInfo.InvariantCulture);
            }
        }
        foreach (var row in accounts) Console.WriteLine(row.Key + " " + row.Value[0] + " " + row.Value[1]);
    }

    // What a kill left of a last line was never answered: it is cut off, and comes again.
    static void OpenBooks()
    {
        books = new FileStream(Setting("BOOKS"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        long whole = 0;
        var line = new MemoryStream();
        for (int one = books.ReadByte(); one >= 0; one = books.ReadByte())
        {
            line.WriteByte((byte)one);
            if (one != '\n') continue;
            Hashes.Add(Text((SortedDictionary<string, object>)new Json(Utf8.GetString(line.ToArray())).Whole(), "hash"));
            whole = books.Position;
            line.SetLength(0);
        }
        books.SetLength(whole);
        books.Position = whole;
    }

    static void Main(string[] arguments)
    {
        if (arguments[0] == "balance") { Balance(); return; }
        OpenBooks();
        var listener = new HttpListener();
        listener.Prefixes.Add("http://127.0.0.1:" + arguments[0] + "/");
        listener.Start();
        while (true)
        {
            HttpListenerContext context = listener.GetContext();
            ThreadPool.QueueUserWorkItem(state =>
            {
                try
                {
                    string told;
                    context.Response.StatusCode = Answer(context.Request, out told);
                    context.Response.ContentType = "application/json";
                    byte[] sent = Utf8.GetBytes(told);
                    context.Response.OutputStream.Write(sent, 0, sent.Length);
                    context.Response.Close();
                }
                catch (Exception error) // the connection is gone, or the disk is full: no answer, so it is sent again
                {
                    Console.Error.WriteLine(error);
                    context.Response.Abort();
                }
            });
        }
    }
}

// JSON as the messages have it: members sorted by code unit, no fractions. In .NET, System.Text.Json reads as well; the
// canonical form (RFC 8785), over which the hash is, needs these few lines anyway.
sealed class Json
{
    const int DepthMax = 64;
    readonly string text;
    int at, depth;

    public Json(string text) { this.text = text; }

    public object Whole()
    {
        object value = Value();
        Blanks();
        if (at != text.Length) throw new FormatException("more than one value");
        return value;
    }

    object Value()
    {
        Blanks();
        if (at == text.Length || ++depth > DepthMax) throw new FormatException("no value");
        char first = text[at];
        object value = first == '{' ? Members() : first == '[' ? Items() : first == '"' ? String() : Word();
        depth--;
        return value;
    }

    object Members()
    {
        var found = new SortedDictionary<string, object>(StringComparer.Ordinal);
        at++;
        if (Next('}')) return found;
        do
        {
            Blanks();
            string name = (string)String();
            if (!Next(':')) throw new FormatException("no colon");
            found.Add(name, Value()); // a name that comes twice is refused
        } while (Next(','));
        if (!Next('}')) throw new FormatException("no end");
        return found;
    }

    object Items()
    {
        var found = new List<object>();
        at++;
        if (Next(']')) return found;
        do found.Add(Value()); while (Next(','));
        if (!Next(']')) throw new FormatException("no end");
        return found;
    }

    object String()
    {
        if (at == text.Length || text[at] != '"') throw new FormatException("no text");
        var found = new StringBuilder();
        for (at++; at < text.Length; at++)
        {
            char one = text[at];
            if (one == '"') { at++; return found.ToString(); }
            if (one < ' ') throw new FormatException("a bare control character");
            if (one == '\\')
            {
                if (++at == text.Length) break;
                int known = "\"\\/bfnrt".IndexOf(text[at]);
                if (known >= 0) one = "\"\\/\b\f\n\r\t"[known];
                else if (text[at] == 'u' && at + 4 < text.Length)
                {
                    one = (char)int.Parse(text.Substring(at + 1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
                    at += 4;
                }
                else throw new FormatException("an unknown escape");
            }
            found.Append(one);
        }
        throw new FormatException("a text without an end");
    }

    object Word()
    {
        int begin = at;
        while (at < text.Length && "-+.0123456789aeflnrstuE".IndexOf(text[at]) >= 0) at++;
        string word = text.Substring(begin, at - begin);
        if (word == "true") return true;
        if (word == "false") return false;
        if (word == "null") return null;
        if (!Regex.IsMatch(word, @"\A-?(0|[1-9][0-9]{0,15})\z")) throw new FormatException("no whole number");
        return long.Parse(word, CultureInfo.InvariantCulture);
    }

    bool Next(char wanted)
    {
        Blanks();
        if (at == text.Length || text[at] != wanted) return false;
        at++;
        return true;
    }

    void Blanks()
    {
        while (at < text.Length && " \t\r\n".IndexOf(text[at]) >= 0) at++;
    }

    public static string Canonical(object value)
    {
        var members = value as SortedDictionary<string, object>;
        if (members != null)
        {
            var sorted = new SortedDictionary<string, object>(members, StringComparer.Ordinal);
            return "{" + string.Join(",", sorted.Select(one => Quoted(one.Key) + ":" + Canonical(one.Value))) + "}";
        }
        var items = value as List<object>;
        if (items != null) return "[" + string.Join(",", items.Select(Canonical)) + "]";
        if (value == null) return "null";
        if (value is bool) return (bool)value ? "true" : "false";
        return value is long ? ((long)value).ToString(CultureInfo.InvariantCulture) : Quoted((string)value);
    }

    static string Quoted(string text)
    {
        var told = new StringBuilder("\"");
        foreach (char one in text)
        {
            int known = "\"\\\b\f\n\r\t".IndexOf(one);
            if (known >= 0) told.Append('\\').Append("\"\\bfnrt"[known]);
            else if (one < ' ') told.Append("\\u").Append(((int)one).ToString("x4"));
            else told.Append(one);
        }
        return told.Append('"').ToString();
    }
}
