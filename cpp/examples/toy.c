/* A toy that listens to a recording: reads a WAV file of 16-bit samples and says what the voice expresses.
 *
 *     toy voice.tflite speech.wav [libLiteRt.so]
 */
#include <edgeemo/edgeemo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    int16_t* samples;
    size_t n; /* of one channel */
    int32_t channels, rate_hz;
} wav;

static uint32_t number(const unsigned char* bytes, int n) {
    uint32_t x = 0;
    while (n-- > 0) x = x << 8 | bytes[n];
    return x;
}

/* The rest of a file, at most `most` bytes. A program that writes a WAV while it records leaves wrong
 * lengths in the file. */
static size_t rest_of(FILE* file, size_t most) {
    const long here = ftell(file);
    long end = here;
    if (fseek(file, 0, SEEK_END) == 0) end = ftell(file);
    if (here < 0 || end < here || fseek(file, here, SEEK_SET) != 0) return 0;
    return (size_t)(end - here) < most ? (size_t)(end - here) : most;
}

/* 1 if it is a WAV of 16-bit PCM. */
static int read_wav(const char* path, wav* out) {
    unsigned char head[12], chunk[8], format[16];
    FILE* file = fopen(path, "rb");
    int known = 0, done = 0;
    if (file == NULL) return 0;
    if (fread(head, 1, 12, file) == 12 && memcmp(head, "RIFF", 4) == 0 && memcmp(head + 8, "WAVE", 4) == 0) {
        while (!done && fread(chunk, 1, 8, file) == 8) {
            const uint32_t size = number(chunk + 4, 4);
            if (memcmp(chunk, "fmt ", 4) == 0 && size >= 16 && fread(format, 1, 16, file) == 16) {
                known = number(format, 2) == 1 && number(format + 14, 2) == 16;
                out->channels = (int32_t)number(format + 2, 2);
                out->rate_hz = (int32_t)number(format + 4, 4);
                fseek(file, (long)size - 16 + size % 2, SEEK_CUR);
            } else if (memcmp(chunk, "data", 4) == 0 && known && out->channels > 0) {
                const size_t bytes = rest_of(file, size);
                out->samples = malloc(bytes + 1);
                if (out->samples == NULL) break;
                out->n = fread(out->samples, 1, bytes, file) / 2 / (size_t)out->channels;
                done = 1;
            } else if (fseek(file, (long)size + size % 2, SEEK_CUR) != 0) {
                break;
            }
        }
    }
    fclose(file);
    return done;
}

static int failed(const char* what) {
    fprintf(stderr, "%s: %s\n", what, edgeemo_last_error());
    return 1;
}

/* Pushes the recording in chunks of 50 ms, as a microphone would, and prints each result as it comes. */
static int listen(edgeemo_recognizer* recognizer, const wav* sound) {
    const size_t step = (size_t)sound->rate_hz / 20;
    edgeemo_stream* stream = NULL;
    edgeemo_result result;
    size_t at;
    int code = edgeemo_stream_open(recognizer, sound->rate_hz, sound->channels, &stream);
    memset(&result, 0, sizeof result);
    result.struct_size = sizeof result;
    for (at = 0; code >= 0 && at <= sound->n; at += step) {
        edgeemo_pcm chunk;
        memset(&chunk, 0, sizeof chunk);
        chunk.struct_size = sizeof chunk;
        chunk.channels = sound->channels;
        chunk.samples = sound->n - at < step ? sound->n - at : step;
        chunk.int16 = sound->samples + at * (size_t)sound->channels;
        code = edgeemo_stream_push(stream, &chunk, (int64_t)(at * 1000 / (size_t)sound->rate_hz));
        if (code >= 0 && at + step > sound->n) code = edgeemo_stream_flush(stream);
        while (code >= 0 && (code = edgeemo_stream_next(stream, &result)) == EDGEEMO_OK) {
            printf("%5ld ms  %-9s %.2f  valence %+.2f  arousal %+.2f  evidence %.2f\n", (long)result.start_ms,
                   edgeemo_emotion(result.label), (double)result.confidence, (double)result.valence,
                   (double)result.arousal, (double)result.evidence);
        }
    }
    if (code >= 0) code = edgeemo_stream_summary(stream, &result);
    if (code >= 0) printf("all in all %s %.2f\n", edgeemo_emotion(result.label), (double)result.confidence);
    edgeemo_stream_close(stream);
    return code < 0 ? failed("the voice cannot be read") : 0;
}

int main(int argc, char** argv) {
    edgeemo_recognizer* recognizer = NULL;
    edgeemo_options options;
    wav sound;
    int code;
    memset(&sound, 0, sizeof sound);
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    if (argc < 3) {
        fprintf(stderr, "usage: toy voice.tflite speech.wav [libLiteRt.so]\n");
        return 2;
    }
    if (argc > 3) options.library = argv[3];
    if (!read_wav(argv[2], &sound)) {
        fprintf(stderr, "%s is no WAV file of 16-bit samples\n", argv[2]);
        free(sound.samples);
        return 1;
    }
    code = edgeemo_open(argv[1], &options, &recognizer) < 0 ? failed(argv[1]) : listen(recognizer, &sound);
    edgeemo_close(recognizer);
    free(sound.samples);
    return code;
}
